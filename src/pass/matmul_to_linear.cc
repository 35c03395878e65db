#include <utility>

#include "base/bytes.h"
#include "ir/op_attrs/matmul.h"
#include "pass/editor.h"
#include "pass/pass.h"
#include "pass/weights.h"

namespace polaris {
namespace {

/// The right side as Linear wants it, [N, K], or kNoValue where it is no such weight.
Result<ValueId> turned_weight(Editor& editor, ValueId right, bool is_turned) {
  const Value& value = editor.value(right);
  if (!value.constant || value.type.shape.rank() != 2 || value.type.encoding.is_block() ||
      !is_float(value.type.dtype)) {
    return kNoValue;
  }
  if (is_turned) return right;
  auto turned = transpose_weight(*value.constant);
  if (!turned) return turned.error();
  return editor.add_constant(std::make_shared<Constant>(turned.take()));
}

/// A constant that adds one number per column of [..., N], as [N]; nothing where it is not.
std::optional<Tensor> as_bias(const Tensor* tensor, const TensorType& out) {
  if (tensor == nullptr || tensor->dtype() != out.dtype || out.shape.empty()) return std::nullopt;
  const std::int64_t n = out.shape.back();
  const Shape& shape = tensor->shape();
  if (!is_static_dim(n) || shape.rank() > out.shape.rank()) return std::nullopt;
  if (tensor->elements() == n && (shape.empty() || shape.back() == n)) {
    return tensor->reshaped({n});
  }
  if (tensor->elements() != 1) return std::nullopt;
  auto spread = Tensor::allocate(out.dtype, {n});
  if (!spread) return std::nullopt;
  const std::size_t width = tensor->bytes().size();
  for (std::int64_t i = 0; i < n; ++i) {
    copy_bytes(spread->mutable_bytes().data() + static_cast<std::size_t>(i) * width,
               tensor->bytes().data(), width);
  }
  return spread.take();
}

Result<bool> rewrite_matmul(Editor& editor, const Targets& targets, NodeId id) {
  const Node& node = editor.node(id);
  const ValueId x = node.inputs[0];
  if (editor.type(x).shape.empty() || !is_float(editor.type(x).dtype)) return false;
  auto weight = turned_weight(editor, node.inputs[1], false);
  if (!weight) return weight.error();
  if (!weight->valid() || !editor.runs(targets, "polaris.Linear", {x, *weight})) return false;
  auto made = replace_node(editor, id, "polaris.Linear", {x, *weight});
  if (!made) return made.error();
  return true;
}

Result<bool> rewrite_gemm(Editor& editor, const Targets& targets, NodeId id) {
  const Node& node = editor.node(id);
  const auto& attrs = node.attrs_as<GemmAttrs>();
  const ValueId x = node.inputs[0];
  const ValueId c = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
  if (attrs.transA || attrs.alpha != 1.0f || (c.valid() && attrs.beta != 1.0f)) return false;
  std::optional<Tensor> bias;
  if (c.valid()) {
    bias = as_bias(editor.constant(c), editor.type(node.outputs[0]));
    if (!bias) return false;
  }
  auto weight = turned_weight(editor, node.inputs[1], attrs.transB);
  if (!weight) return weight.error();
  if (!weight->valid() || !editor.runs(targets, "polaris.Linear", {x, *weight})) return false;
  std::vector<ValueId> inputs{x, *weight};
  if (bias) {
    const bool same = bias->shape() == editor.type(c).shape;
    inputs.push_back(same ? c : editor.add_constant(editor.value(c).name, *bias));
  }
  auto made = replace_node(editor, id, "polaris.Linear", std::move(inputs));
  if (!made) return made.error();
  return true;
}

/// Linear -> Add(constant) as Linear with a bias. The Add stands after the Linear in the order.
Result<bool> take_bias(Editor& editor, NodeId add_id) {
  const Node& add = editor.node(add_id);
  for (std::size_t side = 0; side < 2; ++side) {
    const ValueId sum = add.inputs[side];
    const ValueId other = add.inputs[1 - side];
    const Node* linear = editor.producer(sum, "Linear", "polaris");
    if (linear == nullptr || !editor.only_user(sum).valid()) continue;
    if (linear->inputs.size() > 2 && linear->inputs[2].valid()) continue;
    if (editor.type(add.outputs[0]).shape.rank() != editor.type(sum).shape.rank()) continue;
    const auto bias = as_bias(editor.constant(other), editor.type(sum));
    if (!bias) continue;
    const bool same = bias->shape() == editor.type(other).shape;
    const ValueId b = same ? other : editor.add_constant(editor.value(other).name, *bias);
    auto made =
        replace_node(editor, add_id, "polaris.Linear", {linear->inputs[0], linear->inputs[1], b});
    if (!made) return made.error();
    return true;
  }
  return false;
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    if (node.dead) continue;
    editor.focus(id);
    Result<bool> done = false;
    if (node.op->is("MatMul")) {
      done = rewrite_matmul(editor, targets, id);
    } else if (node.op->is("Gemm")) {
      done = rewrite_gemm(editor, targets, id);
    } else if (node.op->is("Add")) {
      done = take_bias(editor, id);
    }
    if (!done) return done;
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"MatMul", "Gemm", "Add"};

}  // namespace

extern constinit const Pass pass_matmul_to_linear{
    .name = "matmul_to_linear",
    .doc =
        "MatMul and Gemm with a constant right side become polaris.Linear, whose weight is [N, K]; "
        "an Add of one constant per column becomes its bias.",
    .run = run,
    .per_device = true,
    .starts_at = kStartsAt,
};

}  // namespace polaris
