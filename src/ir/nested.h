#pragma once
#include <vector>

#include "ir/graph.h"

namespace polaris {

/// Subgraphs nest at most this deep.
inline constexpr int kGraphDepthMax = 16;

/// The graph and all that its nodes run, each once however many run it, and before those that run
/// it; the graph itself is last.
std::vector<Graph*> graphs_within(Graph& root);
std::vector<const Graph*> graphs_within(const Graph& root);

/// graphs_within(). Errors: invalid where graphs nest deeper than kGraphDepthMax, or one runs
/// itself.
Result<std::vector<Graph*>> checked_graphs_within(Graph& root);
/// The same errors.
Status check_nesting(const Graph& root);

}  // namespace polaris
