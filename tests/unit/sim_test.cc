#include <doctest/doctest.h>

#include "base/os/files.h"
#include "sim/dependent_groups.h"
#include "sim/timing_cache.h"
#include "support/process.h"

using namespace polaris;
using gcn::DispatchTime;
using gcn::TimingCache;

namespace {

DispatchTime time_of(double us) { return {us, 0.5, 1e6, "dram"}; }

/// A stage of storages of 64 bytes, the first two in one slab of the arena.
Stage small_stage() {
  Stage stage;
  for (int i = 0; i < 4; ++i) {
    Storage storage;
    storage.kind = i < 2 ? Storage::Kind::kArena : Storage::Kind::kLiveOut;
    storage.bytes = 64;
    storage.offset = i == 1 ? 32 : 0;
    stage.storages.push_back(storage);
  }
  return stage;
}

Operand part(int storage, std::int64_t offset, std::int64_t bytes) {
  Operand out;
  out.storage = storage;
  out.offset = offset;
  out.bytes = bytes;
  return out;
}

Launch launch(std::vector<Operand> inputs, std::vector<Operand> outputs) {
  Launch out;
  out.inputs = std::move(inputs);
  out.outputs = std::move(outputs);
  return out;
}

}  // namespace

TEST_CASE("simulated times are kept in a file") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("deep/simulated.txt");
  const Hash128 a = hash_text("a");
  const Hash128 b = hash_text("b");
  {
    TimingCache cache(path);
    CHECK(cache.find(a) == nullptr);
    cache.put(a, time_of(12.5));
    REQUIRE(cache.save());
  }
  TimingCache cache(path);
  REQUIRE(cache.find(a) != nullptr);
  CHECK(cache.find(a)->us == 12.5);
  CHECK(cache.find(a)->share == 0.5);
  CHECK(cache.find(a)->dram_bytes == 1e6);
  CHECK(cache.find(a)->bound == "dram");
  CHECK(cache.find(b) == nullptr);
}

TEST_CASE("a damaged file of simulated times counts as empty, and is replaced") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("simulated.txt");
  const Hash128 a = hash_text("a");
  {
    TimingCache cache(path);
    cache.put(a, time_of(1));
    REQUIRE(cache.save());
  }
  const std::string good = read_file(path, 1 << 20).take();
  const std::string head = good.substr(0, good.find('\n') + 1);
  const std::string row = good.substr(head.size());
  for (const std::string& bad :
       {std::string(), std::string("polaris simulated times 0\n") + row, head + row + row.substr(1),
        head + "x 1 1 1 dram\n", head + a.hex() + " nan 1 1 dram\n",
        head + a.hex() + " -1 1 1 dram\n", head + a.hex() + " 1 1 dram\n",
        good.substr(0, good.size() / 2), std::string(1 << 16, '\n')}) {
    CAPTURE(bad.substr(0, 80));
    REQUIRE(write_file(path, bad));
    TimingCache cache(path);
    CHECK(cache.find(a) == nullptr);
    cache.put(a, time_of(2));
    REQUIRE(cache.save());
    CHECK(TimingCache(path).find(a)->us == 2);
  }
  TimingCache nowhere("");
  nowhere.put(a, time_of(3));
  CHECK(nowhere.save());
}

TEST_CASE("launches wait for each other where they share a byte that one writes") {
  const Stage stage = small_stage();
  SUBCASE("what reads what was written waits") {
    gcn::DependentGroups groups(stage);
    CHECK(groups.begins(launch({part(2, 0, 64)}, {part(3, 0, 32)})));
    CHECK_FALSE(groups.begins(launch({part(2, 0, 64)}, {part(3, 32, 32)})));
    CHECK(groups.begins(launch({part(3, 0, 64)}, {part(0, 0, 32)})));
  }
  SUBCASE("what overwrites what others read or wrote waits") {
    gcn::DependentGroups groups(stage);
    CHECK(groups.begins(launch({part(2, 0, 64)}, {part(3, 0, 64)})));
    CHECK(groups.begins(launch({}, {part(2, 60, 4)})));
    CHECK(groups.begins(launch({}, {part(2, 0, 64)})));
  }
  SUBCASE("storages of one slab are the same bytes where they overlap") {
    gcn::DependentGroups groups(stage);
    CHECK(groups.begins(launch({}, {part(0, 0, 32)})));
    CHECK_FALSE(groups.begins(launch({}, {part(1, 0, 16)})));
    CHECK(groups.begins(launch({part(0, 32, 4)}, {part(3, 0, 4)})));
  }
  SUBCASE("weights and absent operands are nobody's") {
    gcn::DependentGroups groups(stage);
    CHECK(groups.begins(launch({part(-1, 0, 64)}, {part(2, 0, 64)})));
    CHECK_FALSE(groups.begins(launch({part(-1, 0, 64)}, {part(3, 0, 64)})));
  }
}
