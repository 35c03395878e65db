#include "ir/symbols.h"

#include <string>
#include <vector>

#include "ir/infer.h"

namespace polaris {
namespace {

struct Nested {
  Graph* graph;
  int depth;
};

Result<std::vector<Graph*>> nested_graphs(Graph& root) {
  std::vector<Graph*> out;
  std::vector<Nested> left{{&root, 0}};
  while (!left.empty()) {
    const Nested at = left.back();
    left.pop_back();
    if (at.depth > kGraphDepthMax) {
      return Error::invalid("[graph] subgraphs nested deeper than " +
                            std::to_string(kGraphDepthMax));
    }
    if (at.graph != &root) out.push_back(at.graph);
    for (NodeId id : at.graph->order()) {
      for (auto& sub : at.graph->node(id).subgraphs) left.push_back({sub.get(), at.depth + 1});
    }
  }
  return out;
}

void renumber(Graph& graph, const std::vector<std::int64_t>& ids) {
  for (std::size_t v = 0; v < graph.value_count(); ++v) {
    Shape& shape = graph.value(ValueId{static_cast<std::int32_t>(v)}).type.shape;
    for (int i = 0; i < shape.rank(); ++i) {
      if (!is_symbol_dim(shape[i])) continue;
      const auto id = static_cast<std::size_t>(symbol_of(shape[i]));
      shape[i] = id < ids.size() ? symbol_dim(ids[id]) : kUnknownDim;
    }
  }
}

}  // namespace

Status unify_symbols(Graph& root) {
  auto graphs = nested_graphs(root);
  if (!graphs) return graphs.error();
  for (Graph* graph : *graphs) {
    if (graph->shares_symbols(root)) continue;
    std::vector<std::int64_t> ids;
    bool same = true;
    for (const Symbol& symbol : graph->symbols()) {
      ids.push_back(root.add_symbol(symbol));
      if (ids.back() != static_cast<std::int64_t>(ids.size()) - 1) same = false;
    }
    if (!same) renumber(*graph, ids);
    graph->share_symbols(root);
  }
  return Status::success();
}

std::int64_t count_nodes(const Graph& graph) {
  std::int64_t count = 0;
  std::vector<const Graph*> left{&graph};
  while (!left.empty()) {
    const Graph& at = *left.back();
    left.pop_back();
    count += static_cast<std::int64_t>(at.order().size());
    for (NodeId id : at.order()) {
      for (const auto& sub : at.node(id).subgraphs) left.push_back(sub.get());
    }
  }
  return count;
}

}  // namespace polaris
