#include "pass/pass.h"

namespace polaris {
namespace {

Result<bool> run(Graph& graph, const Targets&, const OpSet&) {
  ValueFlags read(graph.value_count());
  const auto mark = [&](ValueId id) {
    if (id.valid()) read[id] = true;
  };
  const auto is_read = [&](ValueId id) { return id.valid() && read[id]; };
  for (ValueId id : graph.outputs()) mark(id);
  for (const StateUse& state : graph.states()) mark(state.update);
  std::vector<NodeId> dead;
  bool changed = false;
  const std::vector<NodeId>& order = graph.order();
  for (std::size_t i = order.size(); i-- > 0;) {
    Node& node = graph.node(order[i]);
    bool live = false;
    for (ValueId id : node.outputs) live |= is_read(id);
    if (!live) {
      dead.push_back(order[i]);
      continue;
    }
    for (ValueId id : node.inputs) mark(id);
    // An optional output that nobody reads need not be computed.
    for (std::size_t o = 0; o < node.outputs.size() && node.subgraphs.empty(); ++o) {
      const auto& ports = node.op->outputs;
      if (o >= ports.size() || (ports[o].flags & kOptional) == 0) continue;
      if (!node.outputs[o].valid() || is_read(node.outputs[o])) continue;
      node.outputs[o] = kNoValue;
      changed = true;
    }
  }
  graph.remove_nodes(dead);
  return changed || !dead.empty();
}

}  // namespace

extern constinit const Pass pass_eliminate_dead{
    .name = "eliminate_dead",
    .doc = "Removes nodes whose results nobody reads.",
    .run = run,
};

}  // namespace polaris
