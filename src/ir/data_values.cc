#include "ir/data_values.h"

namespace polaris {

ValueFlags data_values(const Graph& graph) {
  ValueFlags data(graph.value_count());
  const auto mark = [&](ValueId id) {
    if (id.valid()) data[id] = true;
  };
  for (ValueId id : graph.inputs()) mark(id);
  for (const StateUse& use : graph.states()) mark(use.read);
  for (NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (node.op->has_trait(kTypeOnly)) continue;
    // What is not foldable (random numbers, control flow) may differ between runs.
    bool any = !node.op->has_trait(kFoldable);
    for (ValueId input : node.inputs) {
      any = any || (input.valid() && data[input]);
    }
    if (!any) continue;
    for (ValueId output : node.outputs) mark(output);
  }
  return data;
}

}  // namespace polaris
