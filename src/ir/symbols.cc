#include "ir/symbols.h"

#include <string>
#include <vector>

#include "ir/nested.h"

namespace polaris {
namespace {

void renumber(Graph& graph, const std::vector<std::int64_t>& ids) {
  for (ValueId value : graph.value_ids()) {
    Shape& shape = graph.value(value).type.shape;
    for (int i = 0; i < shape.rank(); ++i) {
      if (!is_symbol_dim(shape[i])) continue;
      const auto id = static_cast<std::size_t>(symbol_of(shape[i]));
      shape[i] = id < ids.size() ? symbol_dim(ids[id]) : kUnknownDim;
    }
  }
}

}  // namespace

Result<std::vector<Graph*>> unify_symbols(Graph& root) {
  auto graphs = checked_graphs_within(root);
  if (!graphs) return graphs;
  for (Graph* graph : *graphs) {
    if (graph == &root || graph->shares_symbols(root)) continue;
    std::vector<std::int64_t> ids;
    bool same = true;
    for (const Symbol& symbol : graph->symbols()) {
      ids.push_back(root.add_symbol(symbol));
      if (ids.back() != static_cast<std::int64_t>(ids.size()) - 1) same = false;
    }
    if (!same) renumber(*graph, ids);
    graph->share_symbols(root);
  }
  return graphs;
}

}  // namespace polaris
