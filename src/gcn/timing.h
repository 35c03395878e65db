#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "gcn/chip.h"
#include "gcn/machine.h"

namespace polaris::gcn {

/// What may keep a kernel from being faster.
enum class Part : std::uint8_t { kValu, kSalu, kVmem, kLds, kSmem, kL2, kDram };
inline constexpr int kParts = 7;
const char* part_name(Part part);

/// How many waves of a program a CU holds, and what holds it to that.
struct Occupancy {
  int groups = 0;  // workgroups of a CU
  int waves_per_simd = 0;
  std::string limit;  // "vgprs", "sgprs", "lds", "waves", "groups"
};
Occupancy occupancy(const Program& program);

/// Simulated time of one dispatch. Not measured: no card was there.
struct Timing {
  double us = 0;
  std::string bound;                     // the part that is busiest, or "latency"
  double share = 0;                      // of the time that part is busy: 1 is the limit
  std::array<double, kParts> busy = {};  // of the time, by Part
  Occupancy occupancy;
  std::int64_t groups = 0;
  std::int64_t groups_simulated = 0;  // the rest goes on at the rate of these
  int cus_simulated = 0;
  double dram_bytes = 0;  // of the whole dispatch
  double l2_hit_rate = 0;
  /// How often each instruction of the program was executed, by its index, in all waves: that of
  /// the groups simulated, scaled to all.
  std::vector<double> executed;
  Faults faults;  // of the run that was timed
};

struct TimingOptions {
  Chip chip;
  std::int64_t instructions_max = 4'000'000;  // of waves, simulated; more of it is extrapolated
};

/// Executes as much of the dispatch as the options allow and times it on the chip.
Timing simulate(const Program& program, const Memory& memory, const Launch& launch,
                const TimingOptions& options);

}  // namespace polaris::gcn
