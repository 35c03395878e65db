#pragma once
#include <vector>

#include "ir/graph.h"

namespace polaris {

/// Gives all nested graphs the outermost graph's symbol ids: their symbols join its table by name,
/// their dims are renumbered, and they share it from then on. Nothing to do where they do already.
/// Returns the graphs within the root, as graphs_within() does.
/// Errors: invalid where graphs nest too deep.
Result<std::vector<Graph*>> unify_symbols(Graph& root);

}  // namespace polaris
