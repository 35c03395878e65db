#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "gcn/fault.h"
#include "gcn/memory.h"
#include "gcn/program.h"
#include "gcn/wave.h"

namespace polaris::gcn {

/// A storage buffer as a descriptor shows it. No bytes: bound to nothing.
struct Binding {
  std::uint64_t address = 0;
  std::uint32_t bytes = 0;
};

/// One dispatch of a program.
struct Launch {
  std::array<std::uint32_t, 3> grid = {1, 1, 1};  // workgroups
  std::vector<std::uint32_t> push;
  std::vector<Binding> bindings;
  std::int64_t instructions_max = std::int64_t{1} << 40;
};

struct RunReport {
  Faults faults;
  std::int64_t instructions = 0;         // of waves
  std::int64_t vector_instructions = 0;  // 64 lane instructions each
};

/// Executes whole workgroups, one after another, each wave of one until it waits for the others.
class Machine {
 public:
  /// `memory` holds the buffers; the machine adds the driver's own structures to its copy.
  Machine(const Program& program, const Memory& memory, const Launch& launch);

  /// Every workgroup of the grid.
  void run();
  /// One workgroup; the observer, if any, sees its instructions.
  void run_group(const std::array<std::uint32_t, 3>& group, Observer* observer = nullptr);
  const RunReport& report() const { return report_; }
  int waves() const { return static_cast<int>(waves_.size()); }

 private:
  void start_wave(Wave& wave, std::uint32_t id, const std::array<std::uint32_t, 3>& group);
  /// Until it waits, ends or has had its share; false where all must stop.
  bool advance(Wave& wave);
  bool release_barrier();

  const Program& program_;
  Launch launch_;
  Memory memory_;
  Lds lds_;
  RunReport report_;
  std::vector<Wave> waves_;
  std::vector<std::uint32_t> descriptors_;
  std::array<std::uint32_t, 32> push_ = {};
  std::uint64_t descriptors_at_ = 0;
  std::uint64_t push_at_ = 0;
  std::uint64_t grid_at_ = 0;
};

}  // namespace polaris::gcn
