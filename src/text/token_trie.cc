#include "text/token_trie.h"

#include <algorithm>

namespace polaris {

TokenTrie::TokenTrie(std::vector<std::pair<std::string_view, TokenId>> entries) {
  std::erase_if(entries, [](const auto& entry) { return entry.first.empty(); });
  if (entries.empty()) return;
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // Breadth first: each node is a range of the sorted entries that agree up to its depth.
  struct Range {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
  };
  std::vector<Range> ranges{{0, entries.size(), 0}};
  nodes_.emplace_back();
  for (std::size_t node = 0; node < ranges.size(); ++node) {
    auto [at, end, depth] = ranges[node];
    for (; at < end && entries[at].first.size() == depth; ++at) {
      nodes_[node].token = entries[at].second;
    }
    nodes_[node].first_child = static_cast<std::uint32_t>(nodes_.size());
    while (at < end) {
      const auto label = static_cast<unsigned char>(entries[at].first[depth]);
      std::size_t same = at;
      while (same < end && static_cast<unsigned char>(entries[same].first[depth]) == label) ++same;
      nodes_.push_back({0, 0, label, -1});
      ranges.push_back({at, same, depth + 1});
      ++nodes_[node].children;
      at = same;
    }
  }
}

std::uint32_t TokenTrie::next(std::uint32_t node, char byte) const {
  const Node& parent = nodes_[node];
  const auto label = static_cast<unsigned char>(byte);
  const auto first = nodes_.begin() + parent.first_child;
  const auto last = first + parent.children;
  const auto at = std::lower_bound(first, last, label,
                                   [](const Node& n, unsigned char l) { return n.label < l; });
  if (at == last || at->label != label) return kNone;
  return static_cast<std::uint32_t>(at - nodes_.begin());
}

TokenTrie::Match TokenTrie::longest(std::string_view text) const {
  Match out;
  if (nodes_.empty()) return out;
  std::uint32_t node = kRoot;
  for (std::size_t i = 0; i < text.size(); ++i) {
    node = next(node, text[i]);
    if (node == kNone) break;
    if (token(node) >= 0) out = {token(node), i + 1};
  }
  return out;
}

}  // namespace polaris
