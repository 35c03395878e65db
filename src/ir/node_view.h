#pragma once
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op_def.h"

namespace polaris {

/// What is known of one operand of a node; nulls: it is absent, its data are not known.
struct OperandView {
  const TensorType* type = nullptr;
  const Tensor* value = nullptr;
};

/// A node and its operands as infer, costs and the choice of kernels are told of them, whoever
/// knows them: the graph, a plan in the making, a run. It points to what belongs to these.
struct NodeView {
  const OpDef* op = nullptr;
  const Attrs* attrs = nullptr;
  std::string_view name;
  std::vector<const TensorType*> types;  // by input; null: absent
  std::vector<const Tensor*> values;     // by input; null: not known
  std::size_t output_count = 0;

  void add_input(const OperandView& operand) {
    types.push_back(operand.type);
    values.push_back(operand.value);
  }
};

/// The node with operand(input) for each input that is there.
template <class Operand>
NodeView view_node(const Node& node, Operand operand) {
  NodeView out{node.op, node.attrs.get(), node.name, {}, {}, node.outputs.size()};
  for (ValueId input : node.inputs) {
    out.add_input(input.valid() ? OperandView(operand(input)) : OperandView());
  }
  return out;
}

/// The constant's data as infer reads them: null where there is none, or where they are encoded.
const Tensor* plain_data(const Constant* constant);

/// With the types that stand in the graph, and its constants.
NodeView view_node(const Graph& graph, const Node& node);
/// A node that the graph does not have (yet).
NodeView view_node(const Graph& graph, const OpDef& op, const Attrs& attrs,
                   std::span<const ValueId> inputs, std::size_t output_count);

/// A view with a size for every dim (ir/bounds.h), and the types it points to.
struct SizedNode {
  std::vector<TensorType> types;  // by input; for an absent one the default
  NodeView view;
};
SizedNode at_bounds(const Graph& graph, NodeView view);

/// What OpDef::infer is given; it points into the view.
InferContext infer_context(const NodeView& view);

/// The node as views and costs see it: its inputs' types side by side. It points into `inferred`.
class OwnedNodeTypes {
 public:
  explicit OwnedNodeTypes(const InferContext& inferred);
  OwnedNodeTypes(const OwnedNodeTypes&) = delete;
  OwnedNodeTypes& operator=(const OwnedNodeTypes&) = delete;
  const NodeTypes& types() const { return types_; }

 private:
  std::vector<TensorType> inputs_;
  NodeTypes types_;
};

}  // namespace polaris
