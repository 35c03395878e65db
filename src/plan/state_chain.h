#pragma once
#include <cstdint>

#include "ir/graph.h"

namespace polaris {

/// By value: the state whose bytes it may take over, or -1. These are a state's value, what ops
/// that write in place make of it, and so on up to its update; what such an op makes besides does
/// not reach the update and must leave the state alone.
IdVector<ValueId, std::int32_t> state_chains(const Graph& graph);

}  // namespace polaris
