// What a graph that a node runs gives for the inputs that it is given. One that several nodes call
// is inferred for each by what it is called with, and left with types that hold for all.
#include <algorithm>

#include "ir/any_rank.h"
#include "ir/inference.h"
#include "ir/nested.h"

namespace polaris {
namespace {

// What one call knows of values is followed into the graph so often, since each takes the time of
// the graph and they multiply where calls nest.
constexpr int kByValueMax = 64;

bool is_alike(const Types& a, const Types& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const TensorType& x, const TensorType& y) {
                      return x.dtype == y.dtype && x.encoding == y.encoding && x.kind == y.kind &&
                             x.shape.rank() == y.shape.rank();
                    });
}

Types stored_inputs(const Graph& graph) {
  Types out;
  for (ValueId id : graph.inputs()) out.push_back(graph.value(id).type);
  return out;
}

/// Types that cover both; they are alike.
Types join(const Types& a, const Types& b) {
  Types out = a;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (auto joined = join_types(a[i], b[i])) out[i] = *joined;
  }
  return out;
}

}  // namespace

SharedInference::SharedInference(const std::vector<Graph*>& graphs) {
  knowledge.symbol_count = static_cast<std::int64_t>(graphs.back()->symbols().size());
  knowledge.next_id = knowledge.symbol_count;
  steps_left = 1000000;
  for (const Graph* graph : graphs) {
    steps_left += 64 * static_cast<std::int64_t>(graph->order().size());
    for (NodeId id : graph->order()) {
      for (const auto& sub : graph->node(id).subgraphs) ++calls[sub.get()];
    }
  }
}

Result<Types> Inference::infer_graph_of(Node& node, std::shared_ptr<Graph>& graph,
                                        const Types& inputs, Hosts hosts) {
  if (depth_ == kGraphDepthMax) {
    return Error::invalid("[graph] subgraphs nested deeper than " + std::to_string(kGraphDepthMax));
  }
  return graph.use_count() > 1 ? infer_called(node, graph, inputs, hosts)
                               : infer_owned(node, *graph, inputs, hosts);
}

Result<Types> Inference::infer_owned(const Node& node, Graph& graph, const Types& inputs,
                                     Hosts hosts) {
  Inference inner(graph, shared_, depth_ + 1);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    graph.value(graph.inputs()[i]).type = inputs[i];
    if (i < hosts.size() && hosts[i] != nullptr) {
      inner.knowledge().host(graph.inputs()[i]) = *hosts[i];
    }
  }
  if (auto s = inner.run(); !s) return s.error().with_context("in " + node.name);
  Types out;
  for (ValueId id : graph.outputs()) out.push_back(graph.value(id).type);
  return out;
}

CalledGraph& Inference::called_with(std::shared_ptr<Graph>& graph, const Types& inputs) {
  const auto [at, fresh] = shared_.family_of.try_emplace(graph.get(), shared_.families.size());
  if (fresh) {
    CalledGraph& first = shared_.families.emplace_back().emplace_back();
    first.graph = graph;
    // Nodes outside of what is inferred call it too: what it was inferred with for them must hold.
    if (shared_.calls[graph.get()] < graph.use_count()) first.joined = stored_inputs(*graph);
  }
  CalledFamily& family = shared_.families[at->second];
  for (CalledGraph& one : family) {
    const auto held = one.graph.lock();
    if (!held || (!one.joined.empty() && !is_alike(one.joined, inputs))) continue;
    graph = held;
    return one;
  }
  graph = std::make_shared<Graph>(graph->clone_beside());
  shared_.family_of.emplace(graph.get(), at->second);
  CalledGraph& copy = family.emplace_back();
  copy.graph = graph;
  return copy;
}

Result<Types> Inference::infer_called(Node& node, std::shared_ptr<Graph>& graph,
                                      const Types& inputs, Hosts hosts) {
  CalledGraph& called = called_with(graph, inputs);
  const auto find = [&](const Types& types) {
    return std::find_if(called.known.begin(), called.known.end(),
                        [&](const auto& entry) { return entry.first == types; });
  };
  const Types before = called.joined;
  const Types joined = before.empty() ? inputs : join(before, inputs);
  const bool knows = std::any_of(hosts.begin(), hosts.end(),
                                 [](const HostValue* host) { return host && host->data; }) &&
                     ++called.by_value <= kByValueMax;
  Types out;
  bool stands = joined == before;  // the graph's types are those of `joined`
  if (const auto at = find(inputs); at != called.known.end() && !knows) {
    out = at->second;
  } else {
    auto given = infer_owned(node, *graph, inputs, knows ? hosts : Hosts());
    if (!given) {
      if (!before.empty()) (void)infer_owned(node, *graph, before, {}).ok();
      return given.error();
    }
    out = given.take();
    if (!knows) called.known.emplace_back(inputs, out);
    stands = inputs == joined && !knows;
  }
  called.joined = joined;
  if (stands) return out;
  auto all = infer_owned(node, *graph, joined, {});
  if (!all) return all.error();
  if (find(joined) == called.known.end()) called.known.emplace_back(joined, all.take());
  return out;
}

}  // namespace polaris
