#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/vocabulary.h"

namespace polaris::grammar {

/// A bit a token.
using TokenBits = std::vector<std::uint64_t>;

inline TokenBits no_tokens(std::size_t tokens) { return TokenBits((tokens + 63) / 64, 0); }
inline void add_token(TokenBits& bits, TokenId token) {
  const auto at = static_cast<std::size_t>(token);
  bits[at / 64] |= std::uint64_t{1} << (at % 64);
}
inline bool has_token(std::span<const std::uint64_t> bits, TokenId token) {
  const auto at = static_cast<std::size_t>(token);
  return at / 64 < bits.size() && (bits[at / 64] >> (at % 64) & 1) != 0;
}

/// Tokens that may come next: those of the bits, and those that end the text where it may end.
struct TokenMask {
  std::span<const std::uint64_t> bits;
  std::span<const TokenId> ends;

  bool has(TokenId token) const {
    if (has_token(bits, token)) return true;
    for (const TokenId end : ends) {
      if (end == token) return true;
    }
    return false;
  }
  bool empty() const {
    if (!ends.empty()) return false;
    for (const std::uint64_t word : bits) {
      if (word != 0) return false;
    }
    return true;
  }
};

}  // namespace polaris::grammar
