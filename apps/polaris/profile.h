#pragma once
#include <cstdint>
#include <vector>

#include "base/json_writer.h"
#include "session/run_options.h"

namespace polaris::cli {

/// What the launches of a run were together.
struct KernelTotals {
  double ms = 0;
  std::int64_t flops = 0;
  std::int64_t bytes = 0;
};
KernelTotals totals_of(const std::vector<NodeTime>& times);

/// A table of nodes, slowest first, with GFLOP/s, GB/s and their share of the whole.
void print_profile(const std::vector<NodeTime>& times);
/// The same as a list: [{"node","op","kernel","device","us","flops","bytes"}].
void write_profile(JsonWriter& json, const std::vector<NodeTime>& times);

}  // namespace polaris::cli
