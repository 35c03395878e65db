#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace polaris {

using TokenId = std::int32_t;

/// GGUF's token types (tokenizer.ggml.token_type).
enum class TokenKind : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct Token {
  std::string text;
  float score = 0;
  TokenKind kind = TokenKind::kNormal;
  bool outside_model = false;  // only found where the text is searched for it
};

/// Tokens by id and by text, and the ids that have a meaning of their own.
class Vocabulary {
 public:
  /// Errors: invalid (no token, more than kTokensMax, a text longer than kTextBytesMax, all texts
  /// together longer than kAllBytesMax).
  static Result<Vocabulary> create(std::vector<Token> tokens);
  static constexpr std::size_t kTokensMax = 1 << 22;
  /// Whatever looks for the longest token takes so many steps at each place of a text.
  static constexpr std::size_t kTextBytesMax = 1 << 12;
  static constexpr std::size_t kAllBytesMax = 1 << 27;

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  const Token& token(TokenId id) const { return tokens_[static_cast<std::size_t>(id)]; }
  bool contains(TokenId id) const { return id >= 0 && id < size(); }
  std::optional<TokenId> find(std::string_view text) const;
  /// The same among the tokens that a model may make.
  std::optional<TokenId> find_in_model(std::string_view text) const;
  /// The token of one raw byte (`<0x41>`), if there is one.
  std::optional<TokenId> byte_token(std::uint8_t byte) const;
  /// The byte that a kByte token stands for.
  static std::optional<std::uint8_t> byte_of(const Token& token);

  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  std::optional<TokenId> unknown;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::vector<Token> tokens_;
  std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>> ids_;
  std::vector<TokenId> bytes_;  // 256, -1: none
};

}  // namespace polaris
