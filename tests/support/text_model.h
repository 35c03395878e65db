#pragma once
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace polaris::test {

/// A graph from its text form, in which elided constants hold numbers made of their names: floats
/// in [-0.5, 0.5), bytes of any value, int32 in [-100, 100).
Graph graph_from_text(std::string_view text);

/// Likewise for the graph's inputs (static types).
std::vector<Tensor> numbers_for_inputs(const Graph& graph);

}  // namespace polaris::test
