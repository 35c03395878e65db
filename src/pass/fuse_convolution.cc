#include <cmath>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ir/op_attrs/conv.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/conv_activation.h"
#include "pass/editor.h"
#include "pass/pass.h"

namespace polaris {
namespace {

/// What becomes one node: a Conv and what alone reads it, one after the other.
struct Fused {
  NodeId last;
  ValueId y;  // of `last`
  ValueId residual;
  FusedConvAttrs attrs;
};

/// A sum with another value of the same type.
void take_sum(const Editor& editor, Fused& fused) {
  const NodeId user = editor.only_user(fused.y);
  if (!user.valid() || !editor.node(user).op->is("Add")) return;
  const auto& inputs = editor.node(user).inputs;
  const ValueId other = inputs[0] == fused.y ? inputs[1] : inputs[0];
  // A constant has no layout to follow.
  if (other == fused.y || editor.constant(other) != nullptr) return;
  if (editor.type(other) != editor.type(fused.y)) return;
  fused.residual = other;
  fused.last = user;
  fused.y = editor.node(user).outputs[0];
}

/// A finite float32 limit of Clip.
std::optional<float> limit(const Editor& editor, const Node& clip, std::size_t i) {
  if (i >= clip.inputs.size() || !clip.inputs[i].valid()) return std::nullopt;
  const Tensor* value = editor.constant(clip.inputs[i]);
  if (value == nullptr || value->dtype() != DType::kF32 || value->elements() != 1) {
    return std::nullopt;
  }
  const float number = *value->data<float>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

/// x * Sigmoid(x) and x * HardSigmoid(x), the usual one, of all that read x.
bool take_gate(const Editor& editor, Fused& fused) {
  const Users users = editor.users(fused.y);
  if (!editor.is_internal(fused.y) || std::distance(users.begin(), users.end()) != 2) return false;
  for (const NodeId user : users) {
    const Node& gate = editor.node(user);
    const bool hard = gate.op->is("HardSigmoid");
    if (!hard && !gate.op->is("Sigmoid")) continue;
    const NodeId product = editor.only_user(gate.outputs[0]);
    if (!product.valid() || !editor.node(product).op->is("Mul")) return false;
    const auto& factors = editor.node(product).inputs;
    if (factors[0] != fused.y && factors[1] != fused.y) return false;
    SwishAttrs plain;
    if (hard) {
      const auto& own = gate.attrs_as<HardSigmoidAttrs>();
      if (own.alpha != 1.0f / 6.0f || own.beta != 0.5f) return false;
    }
    set_activation(fused.attrs, hard ? "HardSwish" : "Swish", hard ? nullptr : &plain);
    fused.last = product;
    return true;
  }
  return false;
}

bool take_activation(const Editor& editor, Fused& fused) {
  if (take_gate(editor, fused)) return true;
  const NodeId user = editor.only_user(fused.y);
  if (!user.valid()) return false;
  const Node& node = editor.node(user);
  if (!node.op->domain.empty() || !is_conv_activation(node.op->name)) return false;
  if (node.op->is("Clip")) {
    const auto low = limit(editor, node, 1);
    const auto high = limit(editor, node, 2);
    if (!low || !high || node.inputs[0] != fused.y) return false;
    fused.attrs.alpha = *low;
    fused.attrs.beta = *high;
  }
  set_activation(fused.attrs, node.op->name, node.attrs.get());
  fused.last = user;
  return true;
}

Result<bool> fuse(Editor& editor, const Targets& targets, NodeId id) {
  const Node& conv = editor.node(id);
  const DType dtype = editor.type(conv.outputs[0]).dtype;
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) return false;
  Fused fused{id, conv.outputs[0], {}, {}};
  fused.attrs.conv = conv.attrs_as<ConvAttrs>();
  take_sum(editor, fused);
  if (!take_activation(editor, fused) && !fused.residual.valid()) return false;
  std::vector<ValueId> inputs = conv.inputs;
  if (fused.residual.valid()) inputs.resize(3);
  if (fused.residual.valid()) inputs.push_back(fused.residual);
  const auto types = editor.types_of("polaris.FusedConv", inputs, &fused.attrs);
  if (!types || (*types)[0] != editor.type(editor.node(fused.last).outputs[0])) return false;
  if (!editor.runs(targets, "polaris.FusedConv", inputs, &fused.attrs)) return false;
  auto made =
      replace_node(editor, fused.last, "polaris.FusedConv", std::move(inputs), fused.attrs.clone());
  if (!made) return made.error();
  return true;
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead || !graph.node(id).op->is("Conv")) continue;
    editor.focus(id);
    if (auto done = fuse(editor, targets, id); !done) return done;
  }
  return editor.changed();
}

constexpr std::string_view kStartsAt[] = {"Conv"};

}  // namespace

extern constinit const Pass pass_fuse_convolution{
    .name = "fuse_convolution",
    .doc =
        "A Conv, its sum with another value and an activation become polaris.FusedConv, where the "
        "device has it.",
    .run = run,
    .per_device = true,
    .starts_at = kStartsAt,
};

}  // namespace polaris
