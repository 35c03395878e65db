#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace polaris {

struct GraphValues {
  std::vector<Tensor> outputs;  // as graph.outputs()
  std::vector<Tensor> states;   // the updates, as graph.states()
};

/// Runs a graph on host tensors by the references of its ops, control flow included: slow, and the
/// definition that everything else is compared with. `inputs` are as graph.inputs(); `states` as
/// graph.states(), or empty for their initial values. Errors: what nodes find; invalid where
/// inputs do not match; exhausted after `steps_max` nodes.
Result<GraphValues> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs,
                                   std::span<const Tensor> states, std::int64_t steps_max);
/// From the states' initial values, with a generous bound on the steps.
Result<GraphValues> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs);

}  // namespace polaris
