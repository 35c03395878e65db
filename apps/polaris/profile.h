#pragma once
#include <vector>

#include "session/run_options.h"

namespace polaris::cli {

/// A table of nodes, slowest first, with GFLOP/s, GB/s and their share of the whole.
void print_profile(std::vector<NodeTime> times);

}  // namespace polaris::cli
