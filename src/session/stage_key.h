#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace polaris {

/// Spells out all that the plan of a stage depends on: the graph, the position, the types and
/// places of its live values, the data that planning reads, the types of
/// states, and which outputs stay on their devices (by value; null: none).
std::string stage_key(const Graph& graph, std::size_t begin, std::span<const LiveIn> live,
                      std::span<const TensorType> states,
                      const ValueFlags* device_outputs = nullptr);

}  // namespace polaris
