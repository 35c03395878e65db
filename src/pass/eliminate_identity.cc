#include <algorithm>
#include <utility>

#include "ir/op_attrs/shape.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

bool all_elements(const Tensor* tensor, double wanted) {
  if (tensor == nullptr || tensor->elements() == 0) return false;
  for (std::int64_t i = 0; i < tensor->elements(); ++i) {
    if (element_as_f64(*tensor, i) != wanted) return false;
  }
  return true;
}

bool keeps_order(const Node& node, int rank) {
  const auto& perm = node.attrs_as<TransposeAttrs>().perm;
  if (perm.empty()) return rank <= 1;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

bool known_equal(const TensorType& a, const TensorType& b) {
  return a == b && std::find(a.shape.begin(), a.shape.end(), kUnknownDim) == a.shape.end();
}

/// Ops that give their first input back when the type does not change.
bool same_when_same_type(std::string_view op) {
  constexpr std::string_view kOps[] = {"Cast",    "CastLike", "Reshape",   "Flatten",
                                       "Squeeze", "Expand",   "Unsqueeze", "Concat"};
  return std::find(std::begin(kOps), std::end(kOps), op) != std::end(kOps);
}

/// x op c == x in every bit that counts, for these constants. x + 0 is not here: it loses -0.
bool is_neutral(const Node& node, const Editor& editor) {
  if (node.inputs.size() != 2 ||
      !known_equal(editor.type(node.inputs[0]), editor.type(node.outputs[0]))) {
    return false;
  }
  const Tensor* right = editor.constant(node.inputs[1]);
  if (node.op->is("Mul") || node.op->is("Div") || node.op->is("Pow")) {
    return all_elements(right, 1.0);
  }
  return node.op->is("Sub") && all_elements(right, 0.0);
}

bool is_identity(const Node& node, const Editor& editor) {
  if (!node.op->domain.empty() || node.inputs.empty() || !node.inputs[0].valid()) return false;
  const TensorType& in = editor.type(node.inputs[0]);
  const TensorType& out = editor.type(node.outputs[0]);
  if (node.op->is("Identity")) return true;
  if (node.op->is("Transpose")) return keeps_order(node, in.shape.rank());
  if (node.op->is("Sum") || node.op->is("Mean") || node.op->is("Max") || node.op->is("Min") ||
      node.op->is("Concat")) {
    return node.inputs.size() == 1;
  }
  if (node.op->is("Pad")) {
    return known_equal(in, out) && all_elements(editor.constant(node.inputs[1]), 0.0);
  }
  if (same_when_same_type(node.op->name)) return known_equal(in, out);
  return is_neutral(node, editor);
}

/// Transpose of a Transpose as one; true when done.
Result<bool> merge_transposes(Editor& editor, NodeId id) {
  const Node& outer = editor.node(id);
  if (!outer.op->is("Transpose")) return false;
  const Node* inner = editor.producer(outer.inputs[0], "Transpose");
  if (inner == nullptr) return false;
  const int rank = editor.type(outer.outputs[0]).shape.rank();
  const auto axis_of = [&](const Node& node, int i) {
    const auto& perm = node.attrs_as<TransposeAttrs>().perm;
    return perm.empty() ? rank - 1 - i : static_cast<int>(perm[static_cast<std::size_t>(i)]);
  };
  auto attrs = std::make_unique<TransposeAttrs>();
  for (int i = 0; i < rank; ++i) attrs->perm.push_back(axis_of(*inner, axis_of(outer, i)));
  auto made = replace_node(editor, id, "Transpose", {inner->inputs[0]}, std::move(attrs));
  if (!made) return made.error();
  return true;
}

/// Reshape of a Reshape reads the first's input, unless a 0 copies a dim of what lies between.
bool skip_inner_reshape(Editor& editor, NodeId id) {
  const Node& outer = editor.node(id);
  if (!outer.op->is("Reshape")) return false;
  const Node* inner = editor.producer(outer.inputs[0], "Reshape");
  const Tensor* shape = editor.constant(outer.inputs[1]);
  if (inner == nullptr || shape == nullptr) return false;
  for (std::int64_t i = 0; i < shape->elements(); ++i) {
    if (element_as_i64(*shape, i) == 0) return false;
  }
  const NodeId skipped = editor.value(outer.inputs[0]).producer;
  editor.set_input(id, 0, inner->inputs[0]);
  editor.remove_if_dead(skipped);
  return true;
}

Result<bool> run(Graph& graph, const Targets&, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || graph.node(id).outputs.empty()) continue;
    editor.focus(id);
    auto merged = merge_transposes(editor, id);
    if (!merged) return merged;
    if (*merged) {
      // The merged node may itself change nothing; it is looked at by the next run.
      continue;
    }
    skip_inner_reshape(editor, id);
    const Node& node = graph.node(id);
    if (node.outputs.size() != 1 || !node.outputs[0].valid()) continue;
    if (!is_identity(node, editor) || !editor.may_replace(node.outputs[0], node.inputs[0])) {
      continue;
    }
    const bool rename = !editor.is_internal(node.outputs[0]);
    editor.replace(node.outputs[0], node.inputs[0], !rename);
    editor.remove_if_dead(id);
  }
  return editor.changed();
}

}  // namespace

extern constinit const Pass pass_eliminate_identity{
    .name = "eliminate_identity",
    .doc =
        "Removes nodes that give back what they got (Identity, Cast to the same type, Reshape to "
        "the same shape, x * 1 ...) and merges pairs of Transpose and of Reshape.",
    .run = run,
};

}  // namespace polaris
