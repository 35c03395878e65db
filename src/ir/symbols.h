#pragma once
#include <cstdint>

#include "ir/graph.h"

namespace polaris {

/// Gives all nested graphs the outermost graph's symbol ids: their symbols join its table by name,
/// their dims are renumbered, and they share it from then on. Nothing to do where they do already.
/// Errors: invalid where graphs nest too deep.
Status unify_symbols(Graph& root);
/// Live nodes of the graph and all graphs in it, each graph once.
std::int64_t count_nodes(const Graph& graph);

}  // namespace polaris
