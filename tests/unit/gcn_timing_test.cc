#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "gcn/chip.h"
#include "gcn/cost.h"
#include "gcn/decode.h"
#include "gcn/memory_system.h"
#include "gcn/timing.h"
#include "gcn/trace.h"

using namespace polaris;
using namespace polaris::gcn;

namespace {

/// A program of these words, one wave a workgroup.
Program straight(const std::vector<std::uint32_t>& words) {
  Program program;
  program.name = "test";
  program.words = words;
  auto code = decode(words);
  REQUIRE(code.ok());
  program.code = code.take();
  program.local = {64, 1, 1};
  program.vgprs = 8;
  program.sgprs = 16;
  return program;
}

std::array<std::uint64_t, kLanes> stride(std::uint64_t bytes) {
  std::array<std::uint64_t, kLanes> out = {};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i * bytes;
  return out;
}

}  // namespace

TEST_CASE("chips have names and clocks") {
  const auto plain = find_chip("rx470");
  REQUIRE(plain.ok());
  CHECK(plain->cus == 32);
  const auto slow = find_chip("rx580:1200");
  REQUIRE(slow.ok());
  CHECK(slow->mhz == 1200);
  CHECK(slow->cus == 36);
  for (const char* bad : {"", "rx5800", "rx580:", "rx580:fast", "rx580:99999", "rx580:1200x"}) {
    CHECK_MESSAGE(!find_chip(bad).ok(), bad);
  }
}

TEST_CASE("banks of local memory serve a word each a cycle") {
  CHECK(bank_cycles(stride(4), ~0ULL, 4) == 2);     // 32 lanes at a time
  CHECK(bank_cycles(stride(0), ~0ULL, 4) == 2);     // all read one word
  CHECK(bank_cycles(stride(8), ~0ULL, 4) == 4);     // every other bank, twice
  CHECK(bank_cycles(stride(128), ~0ULL, 4) == 64);  // one bank
  CHECK(bank_cycles(stride(16), ~0ULL, 16) == 8);   // 8 lanes of 4 words fill the banks
}

TEST_CASE("caches forget the least recently used line of a set") {
  CacheTags tags(4 * Chip::kLine, 4);  // one set
  for (std::uint64_t line = 0; line < 4; ++line) CHECK(!tags.touch(line, line == 1).hit);
  CHECK(tags.touch(0, false).hit);
  const auto out = tags.touch(9, false);  // in the place of line 1, which was written
  CHECK(out.evicts_dirty);
  CHECK(out.evicted == 1);
  CHECK(tags.holds(0));
  CHECK(!tags.holds(1));
}

TEST_CASE("registers, local memory and waves bound a CU's workgroups") {
  Program program = straight({0xBF810000});
  CHECK(occupancy(program).limit == "waves");
  CHECK(occupancy(program).groups == 32);
  program.vgprs = 100;
  CHECK(occupancy(program).limit == "vgprs");
  CHECK(occupancy(program).groups == 8);
  program.lds_bytes = 16500;
  CHECK(occupancy(program).limit == "lds");
  CHECK(occupancy(program).groups == 3);
  program.local = {256, 1, 1};
  program.lds_bytes = 0;
  CHECK(occupancy(program).groups == 2);
  CHECK(occupancy(program).waves_per_simd == 2);
}

TEST_CASE("arithmetic alone takes its rate on every SIMD") {
  // 256 additions a wave, 8 waves a SIMD of the whole card.
  std::vector<std::uint32_t> words(256, 0x32000080);  // v_add_u32 v0, vcc, 0, v0
  words.push_back(0xBF810000);
  const Program program = straight(words);
  TimingOptions options;
  Launch launch;
  launch.grid = {static_cast<std::uint32_t>(options.chip.cus * Chip::kSimds * 8), 1, 1};
  const Memory memory;
  const Timing timing = simulate(program, memory, launch, options);
  CHECK(timing.faults.all().empty());
  CHECK(timing.groups_simulated == launch.grid[0]);
  // 8 waves a SIMD of 256 instructions of 4 cycles, and some start.
  const double least_us = 8 * 256 * 4 / options.chip.mhz;
  CHECK(timing.us >= least_us);
  CHECK(timing.us < least_us * 1.2);
  CHECK(timing.bound == "valu");
  CHECK(valu_cycles(*find_op(Encoding::kVop3, 0x285)) == 16);  // v_mul_lo_u32
  CHECK(valu_cycles(*find_op(Encoding::kVop2, 0x119)) == 4);
  CHECK(valu_cycles(*find_op(Encoding::kVop3, 0x281)) == 64);  // v_mul_f64
}

TEST_CASE("a part of the card tells how long the whole takes") {
  std::vector<std::uint32_t> words(1024, 0x32000080);  // v_add_u32 v0, vcc, 0, v0
  words.push_back(0xBF810000);
  Program program = straight(words);
  program.local = {256, 1, 1};  // a wave a SIMD
  program.lds_bytes = 16500;    // 3 workgroups a CU
  TimingOptions options;
  constexpr std::int64_t kGroup = 4 * 1025;
  constexpr std::uint32_t kGroupsOfCu = 24;
  Launch launch;
  launch.grid = {static_cast<std::uint32_t>(options.chip.cus) * kGroupsOfCu, 1, 1};
  const Memory memory;
  const double least_us = kGroupsOfCu * 1024 * 4 / options.chip.mhz;
  // Workgroups that start together end together: 2, 3 or 5 fillings of one CU, or more of them;
  // and a budget that is nearly enough for all gives no CU more than its share.
  for (const std::int64_t groups : {1, 9, 15, 100, 400, 700, 860}) {
    CAPTURE(groups);
    options.instructions_max = groups * kGroup;
    const Timing timing = simulate(program, memory, launch, options);
    CHECK(timing.groups_simulated < launch.grid[0]);
    CHECK(timing.us >= least_us);
    CHECK(timing.us < least_us * 1.15);
  }
}

TEST_CASE("a part of the card tells it where workgroups have more to do the later they come") {
  std::vector<std::uint32_t> words = {0x8F008400};  // s_lshr_b32 s0, s0, 4
  words.resize(17, 0x32000080);                     // v_add_u32 v0, vcc, 0, v0
  words.push_back(0x80808100);                      // s_sub_u32 s0, s0, 1
  words.push_back(0xBF028000);                      // s_cmp_gt_i32 s0, 0
  words.push_back(0xBF85FFED);                      // s_cbranch_scc1 to the first sum
  words.push_back(0xBF810000);
  Program program = straight(words);
  program.arguments.workgroup[0] = 0;  // s0: trips, before the shift
  program.local = {256, 1, 1};
  TimingOptions options;
  Launch launch;
  launch.grid = {1024, 1, 1};
  const Memory memory;
  options.instructions_max = 1'000'000'000;
  const Timing whole = simulate(program, memory, launch, options);
  REQUIRE(whole.groups_simulated == launch.grid[0]);
  for (const std::int64_t budget : {100'000, 600'000, 1'500'000}) {
    CAPTURE(budget);
    options.instructions_max = budget;
    const Timing part = simulate(program, memory, launch, options);
    CHECK(part.groups_simulated < launch.grid[0]);
    CHECK(part.us > whole.us * 0.85);
    CHECK(part.us < whole.us * 1.15);
  }
}

TEST_CASE("a stream takes what memory can give") {
  SharedMemory shared(Chip{}, 1);
  double last = 0;
  constexpr std::uint64_t kLines = 1 << 16;
  for (std::uint64_t line = 0; line < kLines; ++line) last = std::max(last, shared.read(line, 0));
  const Chip chip;
  const double bytes_per_ns = static_cast<double>(kLines * Chip::kLine) / (last / chip.mhz * 1000);
  CHECK(bytes_per_ns < chip.dram_gb_per_s);
  CHECK(bytes_per_ns > chip.dram_gb_per_s * 0.85);
  CHECK(shared.hits == 0);
  CHECK(shared.dram_lines == kLines);
}
