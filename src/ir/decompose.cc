#include "ir/decompose.h"

#include <string>
#include <utility>

namespace polaris {
namespace {

Error node_fail(const Node& node, const char* what) {
  return Error::unsupported("[" + op_full_name(*node.op) + "] node '" + node.name + "' " + what);
}

/// What stands for a value may be that of another node that was decomposed.
void follow(IdVector<ValueId, ValueId>& to) {
  for (ValueId id : to.ids()) {
    while (to.has(to[id]) && to[to[id]].valid()) to[id] = to[to[id]];
  }
}

/// No decomposed node may be read any more.
Status check_reads(const Graph& graph) {
  const Node* read = nullptr;
  const auto check = [&](ValueId id) {
    const NodeId producer = id.valid() ? graph.value(id).producer : NodeId{};
    if (producer.valid() && graph.node(producer).dead) read = &graph.node(producer);
  };
  for (NodeId id : graph.order()) {
    for (ValueId input : graph.node(id).inputs) check(input);
  }
  for (ValueId id : graph.outputs()) check(id);
  for (const StateUse& state : graph.states()) check(state.update);
  if (read == nullptr) return Status::success();
  return node_fail(*read, "was decomposed but for an output in use");
}

}  // namespace

DecomposeContext::DecomposeContext(Graph& graph, NodeId node, const OpSet& ops,
                                   Insertions& insertions)
    : graph_(graph),
      node_(node),
      ops_(ops),
      insertions_(insertions),
      outputs_(graph.node(node).outputs.size()) {}

ValueId DecomposeContext::input(int i) const {
  const auto& inputs = graph_.node(node_).inputs;
  return i < input_count() ? inputs[static_cast<std::size_t>(i)] : kNoValue;
}

void DecomposeContext::fail(Error error) {
  if (status_) status_ = std::move(error);
}

std::vector<ValueId> DecomposeContext::add(std::string_view op, std::vector<ValueId> inputs,
                                           int output_count, std::unique_ptr<Attrs> attrs) {
  std::vector<ValueId> none(static_cast<std::size_t>(output_count));
  if (!status_) return none;
  const OpDef* def = ops_.find_full(op);
  if (def == nullptr) {
    fail(Error::unsupported("[decompose] no operator " + std::string(op)));
    return none;
  }
  const std::string name = graph_.node(node_).name + "." + std::to_string(added_++);
  const NodeId id =
      graph_.add_loose_node(def, std::move(attrs), std::move(inputs), output_count, name);
  insertions_.add(node_, id);
  if (auto s = infer_node(graph_, id); !s) {
    fail(s.error());
    return none;
  }
  return graph_.node(id).outputs;
}

ValueId DecomposeContext::add(std::string_view op, std::vector<ValueId> inputs,
                              std::unique_ptr<Attrs> attrs) {
  return add(op, std::move(inputs), 1, std::move(attrs))[0];
}

ValueId DecomposeContext::constant(Tensor tensor) {
  return graph_.add_constant(graph_.node(node_).name + ".c" + std::to_string(added_++),
                             std::move(tensor));
}

void DecomposeContext::set_output(int i, ValueId value) {
  if (value.valid()) outputs_[static_cast<std::size_t>(i)] = value;
}

Status decompose_nodes(Graph& graph, std::span<const NodeId> ids, const OpSet& ops) {
  Insertions insertions;
  IdVector<ValueId, ValueId> to(graph.value_count());
  const auto is_fresh = [&](ValueId value) { return value.valid() && !to.has(value); };
  for (NodeId id : ids) {
    const Node& node = graph.node(id);
    if (node.op->decompose == nullptr) return node_fail(node, "has no decomposition");
    DecomposeContext context(graph, id, ops, insertions);
    if (auto s = node.op->decompose(context); !s) return s;
    if (!context.status()) return context.status();
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].valid()) continue;
      to[node.outputs[i]] = context.outputs_[i];
      // What stands for a value goes by its name.
      if (is_fresh(context.outputs_[i])) {
        graph.value(context.outputs_[i]).name.swap(graph.value(node.outputs[i]).name);
      }
    }
  }
  follow(to);
  graph.insert_nodes(insertions);
  graph.replace_uses(to);
  graph.remove_nodes(ids);
  return check_reads(graph);
}

}  // namespace polaris
