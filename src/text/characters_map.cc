#include "text/characters_map.h"

#include "base/strings.h"

namespace polaris {
namespace {

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t out = 0;
  for (int i = 3; i >= 0; --i) {
    out = out << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  }
  return out;
}

// The units of Darts-clone (Yata 2012): 32 bits of offset, label and flags.
std::uint32_t offset_of(std::uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
std::uint32_t label_of(std::uint32_t unit) { return unit & ((1u << 31) | 0xFF); }
bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }

}  // namespace

Result<CharactersMap> CharactersMap::create(std::string_view blob) {
  const std::uint32_t bytes = blob.size() < 4 ? 0 : read_u32(blob);
  if (bytes == 0 || bytes % 4 != 0 || bytes > blob.size() - 4) {
    return Error::invalid("[tokenizer] precompiled character map, got a trie of " +
                          std::to_string(bytes) + " of " + std::to_string(blob.size()) +
                          " bytes, wanted whole units inside it");
  }
  CharactersMap out;
  out.units_.resize(bytes / 4);
  for (std::size_t i = 0; i < out.units_.size(); ++i) {
    out.units_[i] = read_u32(blob.substr(4 + 4 * i));
  }
  out.replacements_ = blob.substr(4 + bytes);
  if (!out.replacements_.empty() && out.replacements_.back() != '\0') out.replacements_ += '\0';
  return out;
}

std::size_t CharactersMap::longest(std::string_view text, std::uint32_t& value) const {
  std::size_t found = 0;
  std::uint32_t node = offset_of(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t label = static_cast<unsigned char>(text[i]);
    node ^= label;
    if (label == 0 || node >= units_.size() || label_of(units_[node]) != label) break;
    const std::uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size()) break;
    const std::uint32_t leaf = units_[node] & 0x7FFFFFFFu;
    if (leaf >= replacements_.size()) break;
    value = leaf;
    found = i + 1;
  }
  return found;
}

std::string CharactersMap::apply(std::string_view text, std::size_t bytes_max) const {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size() && out.size() <= bytes_max;) {
    std::uint32_t value = 0;
    // An entry is a few characters long; a hostile trie has loops, and must not walk the whole
    // text.
    const std::size_t mapped = longest(text.substr(at, 256), value);
    if (mapped > 0) {
      const std::size_t end = replacements_.find('\0', value);
      out.append(replacements_, value, end - value);
      at += mapped;
      continue;
    }
    const std::size_t bytes = utf8_length(text.substr(at, 4));
    if (bytes == 0) out += "\xEF\xBF\xBD";
    out += text.substr(at, bytes);
    at += bytes == 0 ? 1 : bytes;
  }
  return out;
}

}  // namespace polaris
