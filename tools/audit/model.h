#pragma once
#include <array>
#include <span>
#include <vector>

#include "isa.h"

namespace polaris::audit {

/// What the model says of the loop where a program spends its time (of all of it, if it has none).
struct Modelled {
  bool loop = false;
  std::array<int, kPipes> count{};   // instructions of a trip, by Pipe
  std::array<int, kPipes> cycles{};  // pipe cycles of a trip, by Pipe
  double alone_cycles = 0;           // a trip of one wave with the SIMD to itself
  double trip_cycles = 0;            // a trip with `waves` resident: what the ratchet holds
  std::string bound;                 // the pipe, or "latency", that sets trip_cycles
};

/// Cycles of one SIMD per trip of the hot loop with `waves` (>= 1) waves resident:
///   max(busiest pipe, time of one wave alone / waves).
/// The time alone is an in-order walk of the loop that stalls at each s_waitcnt until the
/// operations it names have had their latency. Both arms of a branch inside the loop are counted.
Modelled model(std::span<const Instruction> program, int waves);

/// First and last instruction (inclusive) of the loop with the largest cost of its own, not
/// counting loops within it; {0, size - 1} and `loop` false where nothing branches back, or where
/// the code outside of loops costs more than 16 trips.
struct Range {
  std::size_t first = 0;
  std::size_t last = 0;
  bool loop = false;
};
Range hot_loop(std::span<const Instruction> program);

}  // namespace polaris::audit
