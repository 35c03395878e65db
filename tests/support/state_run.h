#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace polaris::test {

/// The devices on which states are tried: each alone, and graphs split over two of them.
const std::vector<std::vector<std::string>>& state_devices();

/// Runs a graph of static types `steps` times in one session on each of state_devices(), on other
/// numbers at each step, and compares every output with the definition's, which is given the states
/// that it gave before.
void check_states(std::string_view text, int steps = 6);

}  // namespace polaris::test
