#include "plan/state_chain.h"

namespace polaris {
namespace {

/// What the node's output is made of in place, or nothing.
ValueId written_input(const Graph& graph, ValueId output) {
  const Value& value = graph.value(output);
  if (!value.producer.valid()) return kNoValue;
  const Node& node = graph.node(value.producer);
  for (const InPlace& pair : node.op->inplace) {
    if (pair.required && pair.output == value.output_index) {
      return node.inputs[static_cast<std::size_t>(pair.input)];
    }
  }
  return kNoValue;
}

}  // namespace

IdVector<ValueId, std::int32_t> state_chains(const Graph& graph) {
  IdVector<ValueId, std::int32_t> chain(graph.value_count(), -1);
  for (std::size_t s = 0; s < graph.states().size(); ++s) {
    const StateUse& state = graph.states()[s];
    ValueId at = state.update;
    while (at.valid() && at != state.read) at = written_input(graph, at);
    if (!at.valid()) continue;
    for (at = state.update; at != state.read; at = written_input(graph, at)) {
      chain[at] = static_cast<std::int32_t>(s);
    }
    chain[state.read] = static_cast<std::int32_t>(s);
  }
  return chain;
}

}  // namespace polaris
