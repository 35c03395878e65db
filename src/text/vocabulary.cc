#include "text/vocabulary.h"

#include <charconv>
#include <utility>

namespace polaris {

Result<Vocabulary> Vocabulary::create(std::vector<Token> tokens) {
  if (tokens.empty() || tokens.size() > kTokensMax) {
    return Error::invalid("[tokenizer] tokens, got " + std::to_string(tokens.size()) +
                          ", wanted 1 to " + std::to_string(kTokensMax));
  }
  Vocabulary out;
  out.bytes_.assign(256, -1);
  out.ids_.reserve(tokens.size());
  std::size_t all = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (token.text.size() > kTextBytesMax) {
      return Error::invalid("[tokenizer] token " + std::to_string(i) + ", got " +
                            std::to_string(token.text.size()) + " bytes, wanted at most " +
                            std::to_string(kTextBytesMax));
    }
    all += token.text.size();
    if (all > kAllBytesMax) {
      return Error::invalid("[tokenizer] tokens, got texts of more than " +
                            std::to_string(kAllBytesMax) + " bytes");
    }
    const auto id = static_cast<TokenId>(i);
    // A later token of the same text is unreachable by text, as in llama.cpp's map.
    out.ids_[token.text] = id;
    if (token.kind == TokenKind::kByte) {
      if (const auto byte = byte_of(token)) out.bytes_[*byte] = id;
    }
  }
  out.tokens_ = std::move(tokens);
  return out;
}

std::optional<TokenId> Vocabulary::find(std::string_view text) const {
  const auto at = ids_.find(text);
  if (at == ids_.end()) return std::nullopt;
  return at->second;
}

std::optional<TokenId> Vocabulary::find_in_model(std::string_view text) const {
  const auto id = find(text);
  return id && !token(*id).outside_model ? id : std::nullopt;
}

std::optional<TokenId> Vocabulary::byte_token(std::uint8_t byte) const {
  if (bytes_[byte] < 0) return std::nullopt;
  return bytes_[byte];
}

std::optional<std::uint8_t> Vocabulary::byte_of(const Token& token) {
  const std::string_view text = token.text;
  if (text.size() != 6 || !text.starts_with("<0x") || text.back() != '>') return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data() + 3, text.data() + 5, value, 16);
  if (error != std::errc() || end != text.data() + 5) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

}  // namespace polaris
