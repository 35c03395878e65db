#include "plan/host_values.h"

#include <ranges>

namespace polaris {

std::vector<bool> host_needed_values(const Graph& graph) {
  std::vector<bool> needed(graph.value_count(), false);
  const auto mark = [&](ValueId id) {
    if (id.valid()) needed[static_cast<std::size_t>(id.index)] = true;
  };
  for (NodeId id : std::views::reverse(graph.order())) {
    const Node& node = graph.node(id);
    bool wanted = false;
    for (ValueId output : node.outputs) {
      wanted = wanted || (output.valid() && needed[static_cast<std::size_t>(output.index)]);
    }
    // A big tensor behind a host value (a mask's NonZero, a reduction) is computed on its device
    // and only the small result is read back: the walk stops at ops that need not fold.
    const bool follow = wanted && node.op->has_trait(kFoldable) && !node.op->has_trait(kTypeOnly);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool host_read = (node.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
      if (!node.inputs[i].valid()) continue;
      const TensorType& type = graph.value(node.inputs[i]).type;
      const bool small_integer = !is_float(type.dtype) && type.shape.rank() <= 1;
      if (host_read || (follow && small_integer)) mark(node.inputs[i]);
    }
  }
  return needed;
}

std::vector<std::int64_t> last_readers(const Graph& graph) {
  std::vector<std::int64_t> last(graph.value_count(), -1);
  const auto end = static_cast<std::int64_t>(graph.order().size());
  for (std::int64_t at = 0; at < end; ++at) {
    for (ValueId input : graph.node(graph.order()[static_cast<std::size_t>(at)]).inputs) {
      if (input.valid()) last[static_cast<std::size_t>(input.index)] = at;
    }
  }
  for (ValueId output : graph.outputs()) last[static_cast<std::size_t>(output.index)] = end;
  for (const StateUse& state : graph.states()) {
    if (state.update.valid()) last[static_cast<std::size_t>(state.update.index)] = end;
  }
  return last;
}

}  // namespace polaris
