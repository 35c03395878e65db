#include "text/grammar/item_sets.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace polaris::grammar {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

std::uint64_t hash_of(std::span<const Item> items) {
  std::uint64_t hash = 0x9E3779B97F4A7C15u;
  for (const Item& item : items) {
    hash ^= (std::uint64_t{item.state} << 32) | item.then;
    hash *= 0xFF51AFD7ED558CCDu;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace

void ItemSets::grow() {
  std::vector<std::uint32_t> table(std::max<std::size_t>(64, table_.size() * 2), kNone);
  for (std::uint32_t set = 0; set < size(); ++set) {
    std::size_t at = sets_[set].hash & (table.size() - 1);
    while (table[at] != kNone) at = (at + 1) & (table.size() - 1);
    table[at] = set;
  }
  table_ = std::move(table);
}

std::uint32_t ItemSets::add(std::span<const Item> items) {
  if (table_.size() < 2 * (sets_.size() + 1)) grow();
  const std::uint64_t hash = hash_of(items);
  std::size_t at = hash & (table_.size() - 1);
  for (; table_[at] != kNone; at = (at + 1) & (table_.size() - 1)) {
    const Set& set = sets_[table_[at]];
    if (set.hash == hash && std::ranges::equal((*this)[table_[at]], items)) return table_[at];
  }
  // The set comes last: items without one are in nobody's way.
  const auto begin = static_cast<std::uint32_t>(items_.size());
  items_.insert(items_.end(), items.begin(), items.end());
  sets_.push_back({begin, static_cast<std::uint32_t>(items.size()), hash});
  table_[at] = size() - 1;
  return size() - 1;
}

}  // namespace polaris::grammar
