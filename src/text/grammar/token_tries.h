#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar/token_mask.h"
#include "text/tokenizer.h"

namespace polaris::grammar {

/// Whether a character is a plain one: those that nearly every grammar takes alike where it takes
/// text, and that JSON writes as they are. No control characters, no quote, no backslash.
constexpr bool is_plain(std::uint8_t byte) {
  return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F;
}

/// Tokens by their bytes, a node after the one that it goes on from, so that a walk over all goes
/// through memory in order.
struct TokenTree {
  struct Node {
    std::uint32_t after = 0;  // the next node that is not below this one
    TokenId token = -1;       // that ends here
    std::uint16_t depth = 0;  // bytes before this one
    std::uint8_t byte = 0;
  };
  std::vector<Node> nodes;
  TokenBits tokens;  // all of them
  // Plain characters of its shortest and its longest token; 0: they are not all plain.
  std::uint32_t plain_min = 0;
  std::uint32_t plain_max = 0;
  std::uint32_t bytes_max = 0;  // of its longest token, or a little more
};

/// What the tokens of a vocabulary write, as masks need it. Immutable, thread-safe.
class TokenTries {
 public:
  /// `width`: tokens that the model has logits of. Tokens without text, and `ends`, are in no tree.
  TokenTries(const Tokenizer& tokenizer, std::size_t width, std::span<const TokenId> ends);

  std::size_t width() const { return texts_.size(); }
  std::string_view text(TokenId token) const {
    const auto at = static_cast<std::size_t>(token);
    return at < texts_.size() ? std::string_view(texts_[at]) : std::string_view();
  }
  /// Those of equal `bytes_max` one after another.
  std::span<const TokenTree> trees() const { return trees_; }
  /// Tokens of equal text: the first is in a tree, the second is not.
  std::span<const std::pair<TokenId, TokenId>> twins() const { return twins_; }
  std::size_t bytes_max() const { return bytes_max_; }

 private:
  std::vector<std::string> texts_;
  std::vector<TokenTree> trees_;
  std::vector<std::pair<TokenId, TokenId>> twins_;
  std::size_t bytes_max_ = 0;
};

}  // namespace polaris::grammar
