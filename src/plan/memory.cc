#include "plan/memory.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/checked.h"

namespace polaris {
namespace {

bool overlap(const Storage& a, const Storage& b) { return a.first <= b.last && b.first <= a.last; }

/// Lowest offset in a slab where `bytes` fit beside `placed` (sorted by offset), or nothing where
/// the slab may not grow that far.
std::optional<std::int64_t> find_gap(const std::vector<const Storage*>& placed, const Storage& item,
                                     std::int64_t bytes, const MemoryLimits& limits) {
  std::int64_t offset = 0;
  for (const Storage* other : placed) {
    if (!overlap(*other, item)) continue;
    if (offset + bytes <= other->offset) break;
    offset = std::max(offset, round_up(other->offset + other->bytes, limits.alignment_bytes));
  }
  if (offset + bytes > limits.slab_bytes_max) return std::nullopt;
  return offset;
}

void insert_sorted(std::vector<const Storage*>& placed, const Storage* item) {
  const auto at =
      std::upper_bound(placed.begin(), placed.end(), item,
                       [](const Storage* a, const Storage* b) { return a->offset < b->offset; });
  placed.insert(at, item);
}

/// Largest first, each at the lowest offset that is free while it lives: packs well, and takes time
/// that grows with the square of their number.
std::vector<std::int64_t> place_by_size(std::vector<Storage*>& items, const MemoryLimits& limits) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Storage* a, const Storage* b) { return a->bytes > b->bytes; });
  std::vector<std::vector<const Storage*>> slabs;
  std::vector<std::int64_t> slab_bytes;
  for (Storage* item : items) {
    bool placed = false;
    for (std::size_t s = 0; s <= slabs.size() && !placed; ++s) {
      if (s == slabs.size()) {
        slabs.emplace_back();
        slab_bytes.push_back(0);
      }
      const auto offset = find_gap(slabs[s], *item, item->bytes, limits);
      if (!offset) continue;
      item->slab = static_cast<std::int32_t>(s);
      item->offset = *offset;
      slab_bytes[s] =
          std::max(slab_bytes[s], round_up(*offset + item->bytes, limits.alignment_bytes));
      insert_sorted(slabs[s], item);
      placed = true;
    }
  }
  return slab_bytes;
}

/// Bytes of several slabs that nobody uses, as runs that join when they touch.
class FreeRuns {
 public:
  explicit FreeRuns(const MemoryLimits& limits) : limits_(limits) {}

  /// The smallest run that holds `bytes` (a multiple of the alignment), else more of a slab.
  std::pair<std::int32_t, std::int64_t> take(std::int64_t bytes) {
    const auto best = by_size_.lower_bound({bytes, 0, 0});
    if (best != by_size_.end()) {
      const auto [run, slab, offset] = *best;
      erase(slab, offset, run);
      if (run > bytes) add(slab, offset + bytes, run - bytes);
      return {slab, offset};
    }
    for (std::size_t s = 0; s < ends_.size(); ++s) {
      const auto slab = static_cast<std::int32_t>(s);
      const std::int64_t tail = tail_of(slab);
      const std::int64_t offset = ends_[s] - tail;
      if (offset + bytes > limits_.slab_bytes_max) continue;
      if (tail > 0) erase(slab, offset, tail);
      ends_[s] = offset + bytes;
      return {slab, offset};
    }
    ends_.push_back(bytes);
    return {static_cast<std::int32_t>(ends_.size()) - 1, 0};
  }

  void give_back(std::int32_t slab, std::int64_t offset, std::int64_t bytes) {
    auto next = runs_.lower_bound({slab, offset});
    if (next != runs_.end() && next->first == std::pair(slab, offset + bytes)) {
      const std::int64_t more = next->second;
      erase(slab, offset + bytes, more);
      bytes += more;
    }
    next = runs_.lower_bound({slab, offset});
    if (next != runs_.begin()) {
      const auto [place, before] = *std::prev(next);
      if (place.first == slab && place.second + before == offset) {
        erase(slab, place.second, before);
        offset = place.second;
        bytes += before;
      }
    }
    add(slab, offset, bytes);
  }

  std::vector<std::int64_t> slab_bytes() const { return ends_; }

 private:
  void add(std::int32_t slab, std::int64_t offset, std::int64_t bytes) {
    runs_[{slab, offset}] = bytes;
    by_size_.insert({bytes, slab, offset});
  }
  void erase(std::int32_t slab, std::int64_t offset, std::int64_t bytes) {
    runs_.erase({slab, offset});
    by_size_.erase({bytes, slab, offset});
  }
  /// Free bytes at the slab's end.
  std::int64_t tail_of(std::int32_t slab) const {
    const auto after = runs_.lower_bound({slab + 1, 0});
    if (after == runs_.begin()) return 0;
    const auto& [place, bytes] = *std::prev(after);
    const bool at_end =
        place.first == slab && place.second + bytes == ends_[static_cast<std::size_t>(slab)];
    return at_end ? bytes : 0;
  }

  const MemoryLimits& limits_;
  std::map<std::pair<std::int32_t, std::int64_t>, std::int64_t> runs_;
  std::set<std::tuple<std::int64_t, std::int32_t, std::int64_t>> by_size_;
  std::vector<std::int64_t> ends_;  // by slab
};

/// In the order in which they come to life, each in the smallest free run: near linear.
std::vector<std::int64_t> place_by_time(std::vector<Storage*>& items, const MemoryLimits& limits) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Storage* a, const Storage* b) { return a->first < b->first; });
  const auto later = [](const Storage* a, const Storage* b) { return a->last > b->last; };
  std::priority_queue<Storage*, std::vector<Storage*>, decltype(later)> alive(later);
  FreeRuns runs(limits);
  for (Storage* item : items) {
    while (!alive.empty() && alive.top()->last < item->first) {
      const Storage* over = alive.top();
      runs.give_back(over->slab, over->offset, round_up(over->bytes, limits.alignment_bytes));
      alive.pop();
    }
    std::tie(item->slab, item->offset) = runs.take(round_up(item->bytes, limits.alignment_bytes));
    alive.push(item);
  }
  return runs.slab_bytes();
}

}  // namespace

Result<std::vector<std::int64_t>> plan_memory(std::span<Storage> storages, DeviceIndex device,
                                              const MemoryLimits& limits) {
  std::vector<Storage*> items;
  for (Storage& storage : storages) {
    const bool mine = storage.device == device && storage.kind == Storage::Kind::kArena;
    if (mine && storage.parent < 0) items.push_back(&storage);
  }
  for (const Storage* item : items) {
    if (item->bytes <= limits.slab_bytes_max) continue;
    return Error::out_of_memory("[plan] one activation needs " + std::to_string(item->bytes) +
                                " bytes, wanted at most " + std::to_string(limits.slab_bytes_max) +
                                " (one allocation)");
  }
  constexpr std::size_t kBySizeMax = 4096;
  return items.size() <= kBySizeMax ? place_by_size(items, limits) : place_by_time(items, limits);
}

std::int64_t live_bytes_max(std::span<const Storage> storages, DeviceIndex device) {
  std::map<std::int32_t, std::int64_t> changes;  // by step
  for (const Storage& storage : storages) {
    const bool mine = storage.device == device && storage.kind == Storage::Kind::kArena;
    if (!mine || storage.parent >= 0) continue;
    changes[storage.first] += storage.bytes;
    changes[storage.last + 1] -= storage.bytes;
  }
  std::int64_t live = 0;
  std::int64_t most = 0;
  for (const auto& [step, change] : changes) most = std::max(most, live += change);
  return most;
}

}  // namespace polaris
