#include "wire/npy_strings.h"

#include <algorithm>

#include "base/checked.h"
#include "base/unicode.h"
#include "wire/pickle.h"

namespace polaris {
namespace {

constexpr std::int64_t kCharacterBytes = 4;
// Strings of very different lengths grow each to the longest.
constexpr std::int64_t kTextBytesMax = std::int64_t{1} << 36;

Error bad(std::string_view what) { return Error::invalid("[npy] " + std::string(what)); }

bool is_character(std::uint32_t code) {
  return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

std::uint32_t character_at(const std::byte* at, bool big_endian) {
  std::uint32_t out = 0;
  for (int i = 0; i < 4; ++i) {
    const auto byte = std::to_integer<std::uint32_t>(at[big_endian ? i : 3 - i]);
    out = out << 8 | byte;
  }
  return out;
}

Result<std::string> read_characters(std::span<const std::byte> data, bool big_endian,
                                    std::int64_t index) {
  std::vector<std::uint32_t> codes;
  for (std::size_t at = 0; at < data.size(); at += kCharacterBytes) {
    codes.push_back(character_at(data.data() + at, big_endian));
  }
  while (!codes.empty() && codes.back() == 0) codes.pop_back();
  std::string out;
  for (std::uint32_t code : codes) {
    if (!is_character(code)) {
      return bad("string " + std::to_string(index) + " holds " + std::to_string(code) +
                 ", wanted characters");
    }
    append_utf8(out, static_cast<char32_t>(code));
  }
  return out;
}

/// Nothing where the text is not UTF-8.
std::optional<std::vector<std::uint32_t>> characters_of(std::string_view text) {
  std::vector<std::uint32_t> out;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    if (c.code >= kBadByte) return std::nullopt;
    out.push_back(static_cast<std::uint32_t>(c.code));
    at += c.bytes;
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> read_npy_strings(const NpyStrings& how, std::int64_t count,
                                                  std::span<const std::byte> data) {
  if (how.kind == 'O') {
    auto out = read_pickled_strings(data);
    if (out && std::cmp_not_equal(out->size(), count)) {
      return bad("objects, got " + std::to_string(out->size()) + ", wanted " +
                 std::to_string(count));
    }
    return out;
  }
  const auto each = checked_mul(how.length, how.kind == 'U' ? kCharacterBytes : 1);
  const auto bytes = each ? checked_mul(*each, count) : std::nullopt;
  if (!bytes || std::cmp_less(data.size(), *bytes)) {
    return bad("strings, got " + std::to_string(data.size()) + " bytes, wanted " +
               (bytes ? std::to_string(*bytes) : "more than fit"));
  }
  // Strings of no length take no byte, but memory.
  if (*each == 0 && count > kSequenceItemsMax) return bad("too many empty strings");
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto one =
        data.subspan(static_cast<std::size_t>(i * *each), static_cast<std::size_t>(*each));
    if (how.kind == 'U') {
      auto text = read_characters(one, how.big_endian, i);
      if (!text) return text.error();
      out.push_back(text.take());
      continue;
    }
    std::string& text = out.emplace_back(reinterpret_cast<const char*>(one.data()), one.size());
    while (!text.empty() && text.back() == '\0') text.pop_back();
  }
  return out;
}

Result<NpyText> format_npy_strings(const Tensor& tensor) {
  NpyText out;
  const std::int64_t count = tensor.elements();
  std::vector<std::vector<std::uint32_t>> all;
  out.length = 1;  // NumPy has no strings without room
  for (std::int64_t i = 0; i < count; ++i) {
    auto characters = characters_of(tensor.string(i));
    if (!characters) return bad("string " + std::to_string(i) + " is not UTF-8");
    out.length = std::max(out.length, static_cast<std::int64_t>(characters->size()));
    all.push_back(std::move(*characters));
  }
  const std::int64_t each = out.length * kCharacterBytes;
  const auto bytes = checked_mul(each, count);
  if (!bytes || *bytes > kTextBytesMax) {
    return Error::out_of_memory("[npy] " + std::to_string(count) + " strings with room for " +
                                std::to_string(out.length) + " characters each");
  }
  out.data.resize(static_cast<std::size_t>(*bytes));
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::byte* to = out.data.data() + i * static_cast<std::size_t>(each);
    for (std::uint32_t code : all[i]) {
      for (int b = 0; b < 4; ++b) *to++ = static_cast<std::byte>(code >> (8 * b) & 0xFFu);
    }
  }
  return out;
}

}  // namespace polaris
