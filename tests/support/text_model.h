#pragma once
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace polaris::test {

/// A graph from its text form, which must be right.
Graph graph_from_text(std::string_view text);

/// Numbers for the graph's inputs (static types), the same in every run: floats in [-0.5, 0.5),
/// bytes of any value, other integers in [-100, 100).
std::vector<Tensor> numbers_for_inputs(const Graph& graph);

}  // namespace polaris::test
