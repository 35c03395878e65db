#include "plan/memory.h"

#include <algorithm>
#include <string>

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

}  // namespace

Result<std::vector<std::int64_t>> plan_memory(std::span<Storage> storages, DeviceIndex device,
                                              const MemoryLimits& limits) {
  std::vector<Storage*> items;
  for (Storage& storage : storages) {
    const bool mine = storage.device == device && storage.kind == Storage::Kind::kArena;
    if (mine && storage.parent < 0) items.push_back(&storage);
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const Storage* a, const Storage* b) { return a->bytes > b->bytes; });
  std::vector<std::vector<const Storage*>> slabs;
  std::vector<std::int64_t> slab_bytes;
  for (Storage* item : items) {
    if (item->bytes > limits.slab_bytes_max) {
      return Error::out_of_memory("[plan] one activation needs " + std::to_string(item->bytes) +
                                  " bytes, wanted at most " +
                                  std::to_string(limits.slab_bytes_max) + " (one allocation)");
    }
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

}  // namespace polaris
