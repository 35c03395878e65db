#include "gcn/dpp.h"

namespace polaris::gcn {
namespace {

/// The source lane if it is on, or -1.
int live_source(const Instruction& in, std::uint64_t exec, int lane) {
  const int from = dpp_source(in.dpp_control, lane);
  return from >= 0 && ((exec >> from) & 1) != 0 ? from : -1;
}

}  // namespace

int dpp_source(std::uint16_t control, int lane) {
  const int row = lane & ~15;
  const int in_row = lane & 15;
  const int amount = control & 15;
  if (control <= 0xFF) return (lane & ~3) | ((control >> (2 * (lane & 3))) & 3);
  switch (control & 0x1F0) {
    case 0x100: return in_row + amount > 15 ? -1 : lane + amount;  // row_shl
    case 0x110: return in_row < amount ? -1 : lane - amount;       // row_shr
    case 0x120: return row | ((in_row - amount) & 15);             // row_ror
    default: break;
  }
  switch (control) {
    case 0x130: return lane == 63 ? -1 : lane + 1;      // wave_shl
    case 0x134: return (lane + 1) & 63;                 // wave_rol
    case 0x138: return lane - 1;                        // wave_shr
    case 0x13C: return (lane - 1) & 63;                 // wave_ror
    case 0x140: return row | (15 - in_row);             // row_mirror
    case 0x141: return (lane & ~7) | (7 - (lane & 7));  // row_half_mirror
    case 0x142: return row == 0 ? -1 : row - 1;         // row_bcast15
    case 0x143: return lane < 32 ? -1 : 31;             // row_bcast31
    default: return -1;
  }
}

std::uint64_t dpp_reads(const Instruction& in, std::uint64_t exec) {
  const std::uint64_t writes = dpp_writes(in, exec) & exec;
  std::uint64_t reads = 0;
  for (int i = 0; i < kLanes; ++i) {
    const int from = live_source(in, exec, i);
    if (((writes >> i) & 1) != 0 && from >= 0) reads |= 1ULL << from;
  }
  return reads;
}

std::uint64_t dpp_writes(const Instruction& in, std::uint64_t exec) {
  std::uint64_t mask = 0;
  for (int i = 0; i < kLanes; ++i) {
    const bool chosen =
        ((in.row_mask >> (i / 16)) & 1) != 0 && ((in.bank_mask >> (i / 4 % 4)) & 1) != 0;
    if (chosen && (in.bound_zero || live_source(in, exec, i) >= 0)) mask |= 1ULL << i;
  }
  return mask;
}

void apply_dpp(const Instruction& in, std::uint64_t exec, const Lanes& from, Lanes& out) {
  for (int i = 0; i < kLanes; ++i) {
    const int source = live_source(in, exec, i);
    out.at[i] = source < 0 ? 0 : from.at[source];
  }
}

}  // namespace polaris::gcn
