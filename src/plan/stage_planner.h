#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"
#include "plan/host_values.h"
#include "plan/placement.h"
#include "plan/plan.h"

namespace polaris {

/// What does not change between the stages of one graph.
struct PlanContext {
  std::span<Device* const> devices;
  const Placement* placement = nullptr;
  const ValueFlags* host_needed = nullptr;   // host_needed_values(graph)
  const LastReaders* last_reader = nullptr;  // last_readers(graph)
  std::span<const TensorType> state_types;   // static; index as graph.states()
  bool outputs_to_host = true;  // graph outputs are read by the host (a top-level graph)
  const ValueFlags* device_outputs = nullptr;  // outputs that the host does not read
};

/// Plans the stage that begins at position `begin` of the graph's order, with `live_in` the values
/// alive there (every value that a later node, output or state update reads, constants and states
/// apart). It ends before a node that the host runs, and is empty where it begins with one. Errors:
/// what infer finds, unsupported (no device runs a node; says why for each).
Result<Stage> plan_stage(const PlanContext& context, const Graph& graph, std::size_t begin,
                         std::vector<LiveIn> live_in);

}  // namespace polaris
