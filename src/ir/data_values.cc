#include "ir/data_values.h"

namespace polaris {

std::vector<bool> data_values(const Graph& graph) {
  std::vector<bool> data(graph.value_count(), false);
  const auto mark = [&](ValueId id) {
    if (id.valid()) data[static_cast<std::size_t>(id.index)] = true;
  };
  for (ValueId id : graph.inputs()) mark(id);
  for (const StateUse& use : graph.states()) mark(use.read);
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (node.op->has_trait(kTypeOnly)) continue;
    // What is not foldable (random numbers, control flow) may differ between runs.
    bool any = !node.op->has_trait(kFoldable);
    for (ValueId input : node.inputs) {
      any = any || (input.valid() && data[static_cast<std::size_t>(input.index)]);
    }
    if (!any) continue;
    for (ValueId output : node.outputs) mark(output);
  }
  return data;
}

}  // namespace polaris
