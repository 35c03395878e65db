#include <bit>
#include <string>

#include "gcn/valu.h"

/// Moves, selections, and what crosses from lanes to scalars.
namespace polaris::gcn {
namespace {

/// Lanes of source i whose value stems from written registers.
std::uint64_t defined(const Wave& w, const Instruction& in, int source) {
  const std::uint16_t code = in.src[static_cast<std::size_t>(source)];
  if (code < kVgpr0) return w.written_bits(code) == ~0U ? ~0ULL : 0;
  if (code - kVgpr0 >= w.vgprs()) return 0;
  return w.written_lanes(code - kVgpr0);
}

void mov(Wave& w, const Instruction& in) {
  Lanes scratch;
  const Lanes& a = w.fetch(in, 0, scratch);
  w.store(in, a, in.dpp ? ~0ULL : defined(w, in, 0));
}

/// Modifiers of a moved float: sign bits only.
std::uint32_t with_sign(const Instruction& in, int source, std::uint32_t bits) {
  if (((in.absolute >> source) & 1) != 0) bits &= 0x7FFFFFFF;
  if (((in.negate >> source) & 1) != 0) bits ^= 0x80000000;
  return bits;
}

void cndmask(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes out;
  const std::uint64_t mask = w.mask_source(in);
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    const std::uint32_t take = 0U - static_cast<std::uint32_t>((mask >> i) & 1);
    out.at[i] = (b.at[i] & take) | (a.at[i] & ~take);
  }
  if ((in.negate | in.absolute) != 0) {
    for (int i = 0; i < kLanes; ++i) {
      out.at[i] = with_sign(in, static_cast<int>((mask >> i) & 1), out.at[i]);
    }
  }
  w.store(in, out, (defined(w, in, 0) & ~mask) | (defined(w, in, 1) & mask));
}

/// One lane's value, checked.
std::uint32_t lane_value(Wave& w, const Instruction& in, int lane) {
  const std::uint16_t code = in.src[0];
  if (code < kVgpr0) return w.scalar(in, code);
  if (!w.check_vgpr(in, code - kVgpr0, 1ULL << lane)) return 0;
  return w.vgpr(code - kVgpr0).at[lane];
}

void readfirstlane(Wave& w, const Instruction& in) {
  const int lane = w.exec == 0 ? 0 : std::countr_zero(w.exec);
  w.set_scalar(in, in.dst, lane_value(w, in, lane));
}

void readlane(Wave& w, const Instruction& in) {
  const auto lane = static_cast<int>(w.scalar(in, in.src[1]) & 63);
  w.set_scalar(in, static_cast<std::uint16_t>(in.dst & 127), lane_value(w, in, lane));
}

void writelane(Wave& w, const Instruction& in) {
  const auto lane = static_cast<int>(w.scalar(in, in.src[1]) & 63);
  const std::uint32_t value = w.scalar(in, in.src[0]);
  if (!w.reach_vgpr(in, in.dst, 1ULL << lane)) return;
  w.vgpr(in.dst).at[lane] = value;
  w.mark_vgpr(in.dst, 1ULL << lane);
}

/// Bits of a lane mask below this lane, within one half of it.
template <int Half>
void mbcnt(Wave& w, const Instruction& in) {
  Lanes sa;
  Lanes sb;
  Lanes out;
  const Lanes& a = w.fetch(in, 0, sa);
  const Lanes& b = w.fetch(in, 1, sb);
  for (int i = 0; i < kLanes; ++i) {
    const std::uint64_t below = (1ULL << i) - 1;
    const auto half = static_cast<std::uint32_t>(below >> (32 * Half));
    out.at[i] = static_cast<std::uint32_t>(std::popcount(a.at[i] & half)) + b.at[i];
  }
  w.store(in, out);
}

constexpr Op kOps[] = {
    valu(0x100, "v_cndmask_b32", cndmask, 2, Type::kF32, kReadsMask | kCopies),
    valu(0x141, "v_mov_b32", mov, 1, Type::kB32, kCopies),
    valu(0x142, "v_readfirstlane_b32", readfirstlane, 1, Type::kB32, kScalarResult),
    valu(0x289, "v_readlane_b32", readlane, 2, Type::kB32, kScalarResult),
    valu(0x28A, "v_writelane_b32", writelane, 2),
    valu(0x28C, "v_mbcnt_lo_u32_b32", mbcnt<0>, 2),
    valu(0x28D, "v_mbcnt_hi_u32_b32", mbcnt<1>, 2),
};

}  // namespace

std::span<const Op> valu_lane_ops() { return kOps; }

}  // namespace polaris::gcn
