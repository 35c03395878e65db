#pragma once
#include <vector>

#include "ir/graph.h"

namespace polaris {

/// By ValueId: planning must know the data of this value, because it feeds a kHostRead port
/// directly or through foldable ops. Computed once per graph, backwards.
std::vector<bool> host_needed_values(const Graph& graph);

/// By ValueId: position in the graph's order of the last node that reads it; order().size() for
/// graph outputs and state updates; -1 where nobody does.
std::vector<std::int64_t> last_readers(const Graph& graph);

}  // namespace polaris
