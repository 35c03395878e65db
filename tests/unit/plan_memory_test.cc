// Slabs and offsets: nothing alive at once shares a byte.

#include "plan/memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace polaris {
namespace {

Storage arena(std::int64_t bytes, std::int32_t first, std::int32_t last) {
  Storage storage;
  storage.bytes = bytes;
  storage.first = first;
  storage.last = last;
  return storage;
}

/// No two that live at once overlap; all are aligned and within their slabs.
void check_sound(const std::vector<Storage>& storages, const std::vector<std::int64_t>& slabs,
                 const MemoryLimits& limits) {
  // By slab and offset; an overlap in bytes and time is between neighbours of some kind, so all
  // pairs of a slab that overlap in bytes are looked at, by a sweep over offsets.
  std::vector<const Storage*> sorted;
  for (const Storage& storage : storages) {
    REQUIRE(storage.slab >= 0);
    REQUIRE(static_cast<std::size_t>(storage.slab) < slabs.size());
    REQUIRE(storage.offset % limits.alignment_bytes == 0);
    REQUIRE(storage.offset + storage.bytes <= slabs[static_cast<std::size_t>(storage.slab)]);
    sorted.push_back(&storage);
  }
  std::sort(sorted.begin(), sorted.end(), [](const Storage* a, const Storage* b) {
    return std::pair(a->slab, a->offset) < std::pair(b->slab, b->offset);
  });
  int clashes = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = i + 1; j < sorted.size(); ++j) {
      if (sorted[j]->slab != sorted[i]->slab) break;
      if (sorted[j]->offset >= sorted[i]->offset + sorted[i]->bytes) break;
      clashes += sorted[i]->first <= sorted[j]->last && sorted[j]->first <= sorted[i]->last;
    }
  }
  CHECK(clashes == 0);
  for (std::int64_t bytes : slabs) CHECK(bytes <= limits.slab_bytes_max);
}

/// A sound plan, of not much more than what lives at once.
void check_plan(std::vector<Storage>& storages, const MemoryLimits& limits) {
  const auto slabs = plan_memory(storages, 0, limits);
  REQUIRE(slabs);
  check_sound(storages, *slabs, limits);
  std::map<std::int32_t, std::int64_t> change;
  for (const Storage& storage : storages) {
    change[storage.first] += storage.bytes;
    change[storage.last + 1] -= storage.bytes;
  }
  std::int64_t alive = 0;
  std::int64_t alive_max = 0;
  for (const auto& [step, bytes] : change) alive_max = std::max(alive_max, alive += bytes);
  std::int64_t total = 0;
  for (std::int64_t bytes : *slabs) total += bytes;
  CHECK(static_cast<double>(total) < 2.0 * static_cast<double>(alive_max) + 65536);
}

}  // namespace

TEST_CASE("memory: what lives at different times shares bytes") {
  std::vector<Storage> storages = {arena(100, 0, 1), arena(100, 2, 3), arena(50, 1, 2)};
  const MemoryLimits limits{1 << 20, 64};
  const auto slabs = plan_memory(storages, 0, limits);
  REQUIRE(slabs);
  check_sound(storages, *slabs, limits);
  CHECK(storages[0].offset == storages[1].offset);
  CHECK(*slabs == std::vector<std::int64_t>{192});
}

TEST_CASE("memory: a step that reads one and writes the other keeps them apart") {
  std::vector<Storage> storages = {arena(64, 0, 1), arena(64, 1, 2)};
  REQUIRE(plan_memory(storages, 0, {1 << 20, 64}));
  CHECK(storages[0].offset != storages[1].offset);
}

TEST_CASE("memory: other devices, other kinds and what lies inside others get nothing") {
  std::vector<Storage> storages = {arena(64, 0, 9), arena(64, 0, 9), arena(64, 0, 9)};
  storages[0].device = 1;
  storages[1].kind = Storage::Kind::kLiveOut;
  storages[2].parent = 1;
  const auto slabs = plan_memory(storages, 0, {1 << 20, 64});
  REQUIRE(slabs);
  CHECK(slabs->empty());
}

TEST_CASE("memory: what is alive at once is counted by steps, of one device's arena") {
  std::vector<Storage> storages = {arena(100, 0, 2), arena(30, 2, 4), arena(120, 3, 3),
                                   arena(999, 0, 9), arena(999, 0, 9)};
  storages[3].device = 1;
  storages[4].parent = 0;
  CHECK(live_bytes_max(storages, 0) == 150);
  CHECK(live_bytes_max(storages, 1) == 999);
  CHECK(live_bytes_max({}, 0) == 0);
}

TEST_CASE("memory: a slab is no larger than one allocation; one that exceeds it is refused") {
  std::vector<Storage> storages = {arena(600, 0, 5), arena(600, 0, 5), arena(300, 0, 5)};
  const MemoryLimits limits{1024, 64};
  const auto slabs = plan_memory(storages, 0, limits);
  REQUIRE(slabs);
  check_sound(storages, *slabs, limits);
  CHECK(slabs->size() == 2);
  storages.push_back(arena(1025, 0, 0));
  const auto refused = plan_memory(storages, 0, limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == ErrorCode::kOutOfMemory);
  CHECK(refused.error().message().find("1025") != std::string::npos);
}

TEST_CASE("memory: random lifetimes and sizes, few and many, small and large slabs") {
  struct Sizes {
    const char* name;
    std::int64_t least;
    std::int64_t most;
    std::int64_t unit;
  };
  // Layers are alike, so that places in one slab are places in the next one too.
  constexpr Sizes kSizes[] = {{"any", 1, 5000, 1},
                              {"one", 4096, 4096, 1},
                              {"few", 1024, 4096, 1024},
                              {"unaligned", 100, 4900, 1200},
                              {"halves of a slab", 32768, 32768, 1}};
  constexpr std::int64_t kSlabsMax[] = {1 << 16, 3 << 15, std::int64_t{1} << 40};
  std::mt19937 random(7);
  for (const std::size_t count : {std::size_t{10}, std::size_t{300}, std::size_t{6000}}) {
    for (const std::int64_t slab_max : kSlabsMax) {
      for (const Sizes& sizes : kSizes) {
        CAPTURE(count);
        CAPTURE(slab_max);
        CAPTURE(std::string(sizes.name));
        std::vector<Storage> storages;
        const auto choices =
            static_cast<std::uint32_t>((sizes.most - sizes.least) / sizes.unit + 1);
        for (std::size_t i = 0; i < count; ++i) {
          const auto first = static_cast<std::int32_t>(random() % count);
          const auto length = static_cast<std::int32_t>(random() % (i % 50 == 0 ? count : 8));
          const std::int64_t bytes =
              sizes.least + sizes.unit * static_cast<std::int64_t>(random() % choices);
          storages.push_back(arena(bytes, first, first + length));
        }
        check_plan(storages, {slab_max, 64});
      }
    }
  }
}

TEST_CASE("memory: a hundred thousand storages in a row take no more than two") {
  std::vector<Storage> storages;
  for (std::int32_t i = 0; i < 100'000; ++i) storages.push_back(arena(1000, i, i + 1));
  const auto slabs = plan_memory(storages, 0, {1 << 30, 64});
  REQUIRE(slabs);
  CHECK(*slabs == std::vector<std::int64_t>{2048});
}

}  // namespace polaris
