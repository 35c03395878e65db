#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace polaris::test {

/// A graph from its text form, which must be right.
Graph graph_from_text(std::string_view text);

/// Numbers for the graph's inputs (static types), the same in every run with the same seed: floats
/// in [-0.5, 0.5), bools of either value, bytes of any value, other integers in [-100, 100).
std::vector<Tensor> numbers_for_inputs(const Graph& graph, std::uint64_t seed = 0);

}  // namespace polaris::test
