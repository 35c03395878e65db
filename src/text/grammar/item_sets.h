#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace polaris::grammar {

/// A place in a rule and what follows when the rule ends.
struct Item {
  std::uint32_t state = 0;
  std::uint32_t then = 0;
  friend bool operator==(const Item&, const Item&) = default;
  friend auto operator<=>(const Item&, const Item&) = default;
};

/// Sets of items, each kept once: equal sets have equal numbers.
class ItemSets {
 public:
  /// The number of a set in rising order. What it throws changes nothing.
  std::uint32_t add(std::span<const Item> items);
  std::span<const Item> operator[](std::uint32_t set) const {
    return std::span(items_).subspan(sets_[set].begin, sets_[set].count);
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(sets_.size()); }
  std::size_t items() const { return items_.size(); }

 private:
  struct Set {
    std::uint32_t begin = 0;
    std::uint32_t count = 0;
    std::uint64_t hash = 0;
  };
  void grow();
  std::vector<Item> items_;
  std::vector<Set> sets_;
  std::vector<std::uint32_t> table_;  // by hash, open addressing; kNone: free
};

}  // namespace polaris::grammar
