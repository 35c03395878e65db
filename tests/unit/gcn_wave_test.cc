#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "gcn/decode.h"
#include "gcn/half.h"
#include "gcn/machine.h"
#include "gcn/wave.h"

using namespace polaris;
using namespace polaris::gcn;

namespace {

/// A wave that runs straight code. v0 holds the lane's number.
struct Bench {
  Bench() : wave(16, memory, lds, faults) {
    lds.resize(1024);
    lds.reset();
    wave.start({0, 0, 0}, 0, ~0ULL, {});
    for (std::uint32_t i = 0; i < kLanes; ++i) wave.vgpr(0).at[i] = i;
    wave.mark_vgpr(0, ~0ULL);
  }
  void run(const std::vector<std::uint32_t>& words) {
    auto decoded = decode(words);
    REQUIRE(decoded.ok());
    code.push_back(decoded.take());
    for (const Instruction& in : code.back()) in.op->run(wave, in);
  }
  std::uint32_t v(int reg, int lane = 0) { return wave.vgpr(reg).at[lane]; }

  Memory memory;
  Lds lds;
  Faults faults;
  Wave wave;
  std::vector<std::vector<Instruction>> code;
};

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

}  // namespace

TEST_CASE("multiply-add rounds twice, fused once") {
  Bench b;
  b.run({0x7E0202FF, 0x3F800001,    // v1 = 1 + 2^-23
         0x7E0402FF, 0x3F800001,    // v2 = the same
         0x7E0602FF, 0xBF800002,    // v3 = -(1 + 2^-22)
         0x2C060501,                // v_mac_f32 v3, v1, v2
         0xD1CB0004, 0x03CE0501});  // v_fma_f32 v4, v1, v2, -1.0
  CHECK(b.v(3) == 0);
  CHECK(b.v(4) == bits(std::fma(1 + 0x1p-23F, 1 + 0x1p-23F, -1.0F)));
  CHECK(b.faults.all().empty());
}

TEST_CASE("subnormals are flushed unless the mode keeps them, and a NaN of numbers is positive") {
  Bench b;
  b.run({0x7E0A0281,    // v5 = the smallest subnormal
         0x160E0B05,    // v_max_f32 v7, v5, v5: keeps it on this generation
         0x020A0A80});  // v_add_f32 v5, 0, v5
  CHECK(b.v(7) == 1);
  CHECK(b.v(5) == 0);
  b.wave.mode.keep_denorm32 = true;
  b.run({0x7E0A0281, 0x020A0A80});
  CHECK(b.v(5) == 1);
  b.run({0x7E0C02FF, 0xFF800000,    // v6 = -inf
         0xD1010006, 0x40020D06});  // v_add_f32 v6, v6, -v6
  CHECK(b.v(6) == 0x7FC00000);
}

TEST_CASE("only lanes that are on are written") {
  Bench b;
  b.run({0x7E0A0281,              // v5 = 1
         0xBEFE01FF, 0x000000FF,  // exec = the first 8 lanes
         0x7E0A0280});            // v5 = 0
  CHECK(b.v(5, 7) == 0);
  CHECK(b.v(5, 8) == 1);
}

TEST_CASE("data-parallel sources move within their rows") {
  Bench b;
  b.run({0x7E1002FA, 0xFF091100});  // v_mov_b32_dpp v8, v0 row_shr:1 bound_ctrl:0
  CHECK(b.v(8, 0) == 0);
  CHECK(b.v(8, 1) == 0);
  CHECK(b.v(8, 15) == 14);
  CHECK(b.v(8, 16) == 0);
  b.run({0x321000FA, 0xFF00B100});  // v_add_u32_dpp v8, vcc, v0, v0 quad_perm:[1,0,3,2]
  CHECK(b.v(8, 0) == 1);
  CHECK(b.v(8, 7) == 13);
  CHECK(b.faults.all().empty());
}

TEST_CASE("parts of registers are picked, widened and put in place") {
  Bench b;
  b.run({0x7E1002FF, 0xFF800001,    // v8
         0x7E1002F9, 0x00001100});  // v_mov_b32_sdwa v8, v0 dst_sel:BYTE_1 preserve
  CHECK(b.v(8, 0x2A) == 0xFF802A01);
  b.run({0x7E0002FF, 0x00008000,    // v0 = 0x8000
         0x7E120AF9, 0x00090600});  // v_cvt_f32_i32_sdwa v9, sext(v0) src0_sel:BYTE_1
  CHECK(b.v(9) == bits(-128.0F));
}

TEST_CASE("a clamped sum stays at the largest number") {
  Bench b;
  b.run({0x7E0002C1,                // v0 = -1
         0xD1198401, 0x00010300});  // v_add_u32 v1, s[4:5], v0, 1 clamp
  CHECK(b.v(1) == ~0U);
}

TEST_CASE("reads of what nothing wrote are faults, copies of it are not") {
  Bench b;
  b.run({0x7E020309});  // v_mov_b32 v1, v9
  CHECK(b.faults.all().empty());
  b.run({0x02040281});  // v_add_f32 v2, 1, v1
  CHECK(b.faults.has(FaultKind::kUnwrittenRegister));
}

TEST_CASE("a load's register is used after its wait only") {
  std::vector<std::byte> data(64);
  const std::vector<std::uint32_t> load = {0xE0500000, 0x80020100};  // v1, off, s[8:11], 0
  const auto resource = [](Bench& b, std::uint64_t address) {
    const std::uint32_t words[4] = {static_cast<std::uint32_t>(address),
                                    static_cast<std::uint32_t>(address >> 32), 64, 0};
    for (std::uint16_t i = 0; i < 4; ++i)
      b.wave.put_scalar(static_cast<std::uint16_t>(8 + i), words[i]);
  };
  Bench early;
  resource(early, early.memory.map(data));
  early.run(load);
  early.run({0x7E040301});  // v_mov_b32 v2, v1
  CHECK(early.faults.has(FaultKind::kMissingWait));
  Bench late;
  resource(late, late.memory.map(data));
  late.run(load);
  late.run({0xBF8C0F70, 0x7E040301});  // s_waitcnt vmcnt(0)
  CHECK(late.faults.all().empty());
  // Other lanes of the register may be written meanwhile.
  Bench lanes;
  resource(lanes, lanes.memory.map(data));
  lanes.run({0xBEFE01FF, 0x000000FF});
  lanes.run(load);
  lanes.wave.exec = ~0ULL << 8;
  lanes.run({0x7E020280});  // v_mov_b32 v1, 0
  CHECK(lanes.faults.all().empty());
}

TEST_CASE("a load may go where another of its kind, which comes back first, is under way") {
  std::vector<std::byte> data(64);
  const std::vector<std::uint32_t> load = {0xE0500000, 0x80020100};  // v1, off, s[8:11], 0
  for (const auto counter : {Wave::Counter::kVm, Wave::Counter::kLds, Wave::Counter::kFlat}) {
    Bench b;
    const std::uint64_t address = b.memory.map(data);
    const std::uint32_t words[4] = {static_cast<std::uint32_t>(address),
                                    static_cast<std::uint32_t>(address >> 32), 64, 0};
    for (std::uint16_t i = 0; i < 4; ++i) {
      b.wave.put_scalar(static_cast<std::uint16_t>(8 + i), words[i]);
    }
    b.wave.issue(counter, false, 1, 1);
    b.run(load);
    const bool right = counter == Wave::Counter::kVm;
    CHECK(b.faults.has(FaultKind::kMissingWait) == !right);
    if (!right) continue;
    b.run({0x7E040301});  // v_mov_b32 v2, v1: the second is still under way
    CHECK(b.faults.has(FaultKind::kMissingWait));
  }
}

TEST_CASE("a wait that leaves some under way ends what is in order, whatever else is") {
  using Counter = Wave::Counter;
  const auto issue = [](Bench& b) {
    b.wave.issue(Counter::kLds, false, 2, 1);
    b.wave.issue(Counter::kScalarMemory, true, 20, 1);
    b.wave.issue(Counter::kLds, false, 3, 1);
  };
  const std::vector<std::uint32_t> waits_for_one = {0xBF8C017F};  // s_waitcnt lgkmcnt(1)
  Bench first;
  issue(first);
  first.run(waits_for_one);
  first.run({0x7E100302});  // v_mov_b32 v8, v2: one of local memory is behind it
  CHECK(first.faults.all().empty());
  first.run({0x7E100303});  // v_mov_b32 v8, v3
  CHECK(first.faults.has(FaultKind::kMissingWait));
  Bench scalar;
  issue(scalar);
  scalar.run(waits_for_one);
  scalar.run({0xBE9E0014});  // s_mov_b32 s30, s20: scalar loads keep no order
  CHECK(scalar.faults.has(FaultKind::kMissingWait));
  Bench both;
  both.wave.issue(Counter::kVm, false, 2, 1);
  both.wave.issue(Counter::kFlat, false, 4, 1);
  both.wave.issue(Counter::kVm, false, 3, 1);
  both.run({0xBF8C0F71, 0x7E100302});  // s_waitcnt vmcnt(1)
  CHECK(both.faults.all().empty());
  both.run({0x7E100304});  // v_mov_b32 v8, v4: a flat access overtakes and is overtaken
  CHECK(both.faults.has(FaultKind::kMissingWait));
  Bench all;
  issue(all);
  all.run({0xBF8C007F, 0x7E100302, 0x7E100303, 0xBE9E0014});
  CHECK(all.faults.all().empty());
}

TEST_CASE("a literal of 64 bits is extended by zeros, by its sign in signed instructions") {
  Bench b;
  b.run({0xBE8801FF, 0x80000000,    // s_mov_b64 s[8:9], 0x80000000
         0x7E040280, 0x7E060280,    // v[2:3] = 0
         0x7DC204FF, 0x80000000});  // v_cmp_lt_i64 vcc, 0x80000000, v[2:3]
  const Instruction& in = b.code.back().front();
  CHECK(b.wave.scalar64(in, 8) == 0x80000000);
  CHECK(b.wave.scalar64(in, kVccLo) == ~0ULL);
}

TEST_CASE("an undefined bit of a mask is a fault where a lane uses it") {
  const std::vector<std::uint32_t> code = {0x89887E08,   // s_andn2_b64 s[8:9], s[8:9], exec
                                           0xBEFE01C1};  // s_mov_b64 exec, -1
  const std::vector<std::uint32_t> use = {0xD1000003,
                                          0x00210280};  // v_cndmask_b32 v3, 0, 1, s[8:9]
  Bench all;
  all.run(code);  // no lane is left of what nothing wrote
  all.run(use);
  CHECK(all.faults.all().empty());
  Bench some;
  some.wave.exec = 0xFF;
  some.run(code);
  some.wave.exec = 0xFF;
  some.run(use);
  CHECK(some.faults.all().empty());
  some.wave.exec = 0x1FF;
  some.run(use);
  CHECK(some.faults.has(FaultKind::kUnwrittenRegister));
  Bench mask;
  mask.run({0x89FE7E08});  // s_andn2_b64 exec, s[8:9], exec: all lanes were on
  CHECK(mask.faults.all().empty());
  mask.wave.exec = 0xFF;
  mask.run({0x89FE7E08});
  CHECK(mask.faults.has(FaultKind::kUnwrittenRegister));
}

TEST_CASE("comparisons hold as their names say, NaN beside none but its own") {
  const float left[4] = {1.0F, 2.0F, 3.0F, NAN};
  const auto holds = [](std::uint32_t code, float a, float b) {
    switch (code) {
      case 0: return false;
      case 1: return a < b;
      case 2: return a == b;
      case 3: return a <= b;
      case 4: return a > b;
      case 5: return a < b || a > b;
      case 6: return a >= b;
      case 7: return !std::isnan(a) && !std::isnan(b);
      default: return true;
    }
  };
  for (std::uint32_t code = 0; code < 16; ++code) {
    CAPTURE(code);
    Bench b;
    for (int i = 0; i < kLanes; ++i) {
      b.wave.vgpr(1).at[i] = bits(left[i % 4]);
      b.wave.vgpr(2).at[i] = bits(2.0F);
    }
    b.wave.mark_vgpr(1, ~0ULL);
    b.wave.mark_vgpr(2, ~0ULL);
    std::uint64_t want = 0;
    for (int i = 0; i < kLanes; ++i) {
      const bool base = holds(code < 8 ? code : 15 - code, left[i % 4], 2.0F);
      if (base == (code < 8)) want |= 1ULL << i;
    }
    b.wave.exec = ~0ULL << 8;
    want &= b.wave.exec;
    b.run({0x7C000501 | (0x40 + code) << 17});  // v_cmp vcc, v1, v2
    const Instruction& in = b.code.back().front();
    CHECK(b.wave.scalar64(in, kVccLo) == want);
    CHECK(b.wave.exec == ~0ULL << 8);
    b.run({0x7C000501 | (0x50 + code) << 17});  // v_cmpx
    CHECK(b.wave.exec == want);
    // Of integers the same eight: lanes against 9, with and without a sign.
    if (code >= 8) continue;
    b.wave.exec = ~0ULL;
    for (int i = 0; i < kLanes; ++i) b.wave.vgpr(1).at[i] = static_cast<std::uint32_t>(i - 32);
    std::uint64_t signed_want = 0;
    std::uint64_t unsigned_want = 0;
    for (int i = 0; i < kLanes; ++i) {
      const auto below = static_cast<float>(i - 32 - 9);
      const bool any = code == 7;
      if (any || holds(code, below, 0)) signed_want |= 1ULL << i;
      if (any || holds(code, i < 32 ? 1.0F : below, 0)) unsigned_want |= 1ULL << i;
    }
    const std::uint32_t turned = (code & 2) + (code & 4) / 4 + (code & 1) * 4;  // 9 stands left
    b.run({0x7C000289 | (0xC0 + turned) << 17});                                // v_cmp vcc, 9, v1
    CHECK(b.wave.scalar64(b.code.back().front(), kVccLo) == signed_want);
    b.run({0x7C000289 | (0xC8 + turned) << 17});
    CHECK(b.wave.scalar64(b.code.back().front(), kVccLo) == unsigned_want);
  }
}

TEST_CASE("local memory knows who touched what since the barrier") {
  Lds lds;
  lds.resize(64);
  lds.reset();
  using Access = Lds::Access;
  CHECK(lds.access(0, 4, 0, Access::kRead).unwritten);
  CHECK(!lds.access(4, 4, 0, Access::kWrite).any());
  CHECK(!lds.access(4, 4, 0, Access::kRead).any());
  CHECK(lds.access(4, 4, 1, Access::kRead).race);
  lds.barrier();
  CHECK(!lds.access(4, 4, 1, Access::kRead).any());
  CHECK(!lds.access(4, 4, 2, Access::kRead).any());
  CHECK(lds.access(4, 1, 1, Access::kWrite).race);  // wave 2 read it
  lds.barrier();
  CHECK(!lds.access(8, 1, 0, Access::kWrite).any());
  CHECK(!lds.access(9, 1, 1, Access::kWrite).any());  // a neighbour's byte
  CHECK(lds.access(8, 2, 0, Access::kWrite).race);
  CHECK(lds.access(62, 4, 0, Access::kRead).bounds);
  CHECK(lds.access(0xFFFFFFFE, 4, 0, Access::kRead).bounds);
  lds.reset();
  CHECK(lds.access(4, 4, 0, Access::kRead).unwritten);
}

TEST_CASE("halves convert as the chip does") {
  for (std::uint32_t half = 0; half < 0x7C00; ++half) {
    const float value = half_to_float(half);
    CHECK(value == std::ldexp(static_cast<float>(half < 0x400 ? half : 0x400 | (half & 0x3FF)),
                              half < 0x400 ? -24 : static_cast<int>(half >> 10) - 25));
    if (float_to_half(value, false) != half || float_to_half(value, true) != half) FAIL(half);
    const float next = half_to_float(half + 1);
    if (half + 1 >= 0x7C00) continue;
    const float middle = (value + next) / 2;
    if (float_to_half(middle, false) != half + (half & 1)) FAIL(half);
    if (float_to_half(middle, true) != half) FAIL(half);
    if (float_to_half(std::nextafter(middle, next), false) != half + 1) FAIL(half);
  }
  CHECK(float_to_half(65520.0F, false) == 0x7C00);
  CHECK(float_to_half(65520.0F, true) == 0x7BFF);
  CHECK(float_to_half(-HUGE_VALF, true) == 0xFC00);
  CHECK((float_to_half(NAN, false) & 0x7FFF) > 0x7C00);
}
