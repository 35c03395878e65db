#include "ir/node_view.h"

#include <utility>

#include "ir/bounds.h"

namespace polaris {
namespace {

OperandView operand_of(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  return {&value.type, plain_data(value.constant.get())};
}

}  // namespace

const Tensor* plain_data(const Constant* constant) {
  const bool plain = constant != nullptr && constant->data.type().encoding.is_plain();
  return plain ? &constant->data : nullptr;
}

NodeView view_node(const Graph& graph, const Node& node) {
  return view_node(node, [&](ValueId input) { return operand_of(graph, input); });
}

NodeView view_node(const Graph& graph, const OpDef& op, const Attrs& attrs,
                   std::span<const ValueId> inputs, std::size_t output_count) {
  NodeView out{&op, &attrs, {}, {}, {}, output_count};
  for (ValueId input : inputs) {
    out.add_input(input.valid() ? operand_of(graph, input) : OperandView());
  }
  return out;
}

SizedNode at_bounds(const Graph& graph, NodeView view) {
  SizedNode out{std::vector<TensorType>(view.types.size()), std::move(view)};
  for (std::size_t i = 0; i < out.types.size(); ++i) {
    const TensorType*& type = out.view.types[i];
    if (type == nullptr) continue;
    out.types[i] = at_bounds(graph, *type);
    type = &out.types[i];
  }
  return out;
}

InferContext infer_context(const NodeView& view) {
  InferContext out;
  out.op = view.op;
  out.attrs = view.attrs;
  out.node_name = view.name;
  out.inputs = view.types;
  out.values = view.values;
  out.outputs.resize(view.output_count);
  out.bounds.resize(view.output_count);
  return out;
}

OwnedNodeTypes::OwnedNodeTypes(const InferContext& inferred) {
  for (const TensorType* type : inferred.inputs) {
    inputs_.push_back(type != nullptr ? *type : TensorType{});
  }
  types_ = {inferred.op, inferred.attrs, inputs_, inferred.outputs, inferred.values};
}

}  // namespace polaris
