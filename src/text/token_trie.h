#pragma once
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "text/vocabulary.h"

namespace polaris {

/// Strings by their bytes, each with a token, for matching many at one place of a text. Immutable
/// once made.
class TokenTrie {
 public:
  TokenTrie() = default;
  /// Of equal strings the last one counts; empty ones are left out.
  explicit TokenTrie(std::vector<std::pair<std::string_view, TokenId>> entries);

  static constexpr std::uint32_t kRoot = 0;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  bool empty() const { return nodes_.empty(); }
  /// The node that a byte leads to, or kNone.
  std::uint32_t next(std::uint32_t node, char byte) const;
  /// The token that ends at a node, or -1.
  TokenId token(std::uint32_t node) const { return nodes_[node].token; }

  struct Match {
    TokenId token = -1;
    std::size_t bytes = 0;  // 0: none
  };
  /// The longest string at the front of `text`.
  Match longest(std::string_view text) const;

 private:
  struct Node {
    std::uint32_t first_child = 0;
    std::uint16_t children = 0;
    unsigned char label = 0;
    TokenId token = -1;
  };
  std::vector<Node> nodes_;  // children of one node lie together, by rising label
};

}  // namespace polaris
