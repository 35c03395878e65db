#include "ir/decompose.h"

#include <string>
#include <utility>

namespace polaris {

DecomposeContext::DecomposeContext(Graph& graph, NodeId node, const OpSet& ops)
    : graph_(graph), node_(node), ops_(ops), outputs_(graph.node(node).outputs.size()) {}

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
      graph_.insert_node(node_, def, std::move(attrs), std::move(inputs), output_count, name);
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

Status decompose_node(Graph& graph, NodeId id, const OpSet& ops) {
  const Node& node = graph.node(id);
  const auto fail = [&](const char* what) {
    return Error::unsupported("[" + op_full_name(*node.op) + "] node '" + node.name + "' " + what);
  };
  if (node.op->decompose == nullptr) return fail("has no decomposition");
  DecomposeContext context(graph, id, ops);
  if (auto s = node.op->decompose(context); !s) return s;
  if (!context.status()) return context.status();
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].valid()) continue;
    const bool used = !graph.users(node.outputs[i]).empty() || graph.is_output(node.outputs[i]) ||
                      graph.is_state_update(node.outputs[i]);
    if (!used) continue;
    if (!context.outputs_[i].valid()) return fail("was decomposed but for an output in use");
    graph.replace_uses(node.outputs[i], context.outputs_[i]);
  }
  graph.remove_node(id);
  return Status::success();
}

}  // namespace polaris
