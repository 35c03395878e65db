#include "ir/decompose.h"

#include <algorithm>
#include <string>
#include <utility>

namespace polaris {
namespace {

bool is_read(const Graph& graph, ValueId value) {
  const auto has = [&](const std::vector<ValueId>& ids) {
    return std::find(ids.begin(), ids.end(), value) != ids.end();
  };
  return has(graph.outputs()) ||
         std::any_of(graph.states().begin(), graph.states().end(),
                     [&](const StateUse& state) { return state.update == value; }) ||
         std::any_of(graph.order().begin(), graph.order().end(),
                     [&](NodeId id) { return has(graph.node(id).inputs); });
}

}  // namespace

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

Status decompose_node(Graph& graph, NodeId id, const OpSet& ops) {
  const Node& node = graph.node(id);
  const auto fail = [&](const char* what) {
    return Error::unsupported("[" + op_full_name(*node.op) + "] node '" + node.name + "' " + what);
  };
  if (node.op->decompose == nullptr) return fail("has no decomposition");
  DecomposeContext context(graph, id, ops);
  if (auto s = node.op->decompose(context); !s) return s;
  if (!context.status()) return context.status();
  graph.insert_nodes(context.insertions_);
  std::vector<ValueId> to(graph.value_count());
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i].valid()) continue;
    if (!context.outputs_[i].valid() && is_read(graph, node.outputs[i])) {
      return fail("was decomposed but for an output in use");
    }
    to[static_cast<std::size_t>(node.outputs[i].index)] = context.outputs_[i];
  }
  graph.replace_uses(to);
  graph.remove_nodes({&id, 1});
  return Status::success();
}

}  // namespace polaris
