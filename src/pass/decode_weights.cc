#include <algorithm>
#include <utility>

#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/quantize.h"
#include "pass/editor.h"
#include "pass/pass.h"
#include "pass/weights.h"
#include "tensor/element.h"

namespace polaris {
namespace {

/// float16 scales as float32, which kernels have; every one stays what it is.
Result<Tensor> widened(const Tensor& scale) {
  auto out = Tensor::allocate(DType::kF32, scale.shape());
  if (!out) return out;
  for (std::int64_t i = 0; i < scale.elements(); ++i) {
    out->mutable_data<float>()[i] = static_cast<float>(element_as_f64(scale, i));
  }
  return out;
}

/// The weight that a DequantizeLinear of constants stands for, still in its integers; or null. It
/// decodes to float32, of float16 scales too.
std::shared_ptr<Constant> affine_weight(const Editor& editor, const Node& node) {
  const auto& attrs = node.attrs_as<DequantizeLinearAttrs>();
  const Tensor* data = editor.constant(node.inputs[0]);
  const Tensor* scale = editor.constant(node.inputs[1]);
  const bool has_zero = node.inputs.size() > 2 && node.inputs[2].valid();
  const Tensor* zero = has_zero ? editor.constant(node.inputs[2]) : nullptr;
  if (data == nullptr || scale == nullptr || (has_zero && zero == nullptr)) return nullptr;
  constexpr DType kStored[] = {DType::kI8, DType::kU8, DType::kI4, DType::kU4};
  if (std::ranges::count(kStored, data->dtype()) == 0) return nullptr;
  const int rank = data->shape().rank();
  TensorType type = editor.type(node.outputs[0]);
  const bool narrow = scale->dtype() == DType::kF16 && type.dtype == DType::kF16;
  if (rank < 2 || !(narrow || (scale->dtype() == DType::kF32 && type.dtype == DType::kF32))) {
    return nullptr;
  }
  type.dtype = DType::kF32;
  type.encoding.kind = Encoding::Kind::kAffine;
  type.encoding.storage = data->dtype();
  if (scale->elements() != 1 || attrs.block_size > 0) {
    const auto axis = normalize_axis(attrs.axis, rank);
    if (!axis || attrs.block_size > INT32_MAX) return nullptr;
    type.encoding.axis = static_cast<std::int8_t>(*axis);
    type.encoding.block = static_cast<std::int32_t>(attrs.block_size);
  }
  const auto& source = editor.value(node.inputs[0]).constant;
  auto out = std::make_shared<Constant>();
  out->data = Tensor::view(type, data->bytes(), data->owner());
  out->scale = *scale;
  if (narrow) {
    auto wide = widened(*scale);
    if (!wide) return nullptr;
    out->scale = wide.take();
  }
  if (zero != nullptr) out->zero_point = *zero;
  out->name = source->name;
  out->file = source->file;
  return out;
}

/// MatMul or Gemm that reads the weight on its right becomes Linear.
Result<bool> feed_linear(Editor& editor, const Targets& targets, NodeId user,
                         const std::shared_ptr<Constant>& weight, ValueId dequantized) {
  const Node& node = editor.node(user);
  const bool gemm = node.op->is("Gemm");
  if ((!gemm && !node.op->is("MatMul")) || weight->data.shape().rank() != 2) return false;
  if (node.inputs[1] != dequantized || node.inputs[0] == dequantized) return false;
  const ValueId x = node.inputs[0];
  if (editor.type(x).shape.empty() || editor.type(x).dtype != DType::kF32) return false;
  bool turned = false;
  std::vector<ValueId> inputs{x, kNoValue};
  if (gemm) {
    const auto& attrs = node.attrs_as<GemmAttrs>();
    const ValueId c = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
    if (attrs.transA || attrs.alpha != 1.0f || (c.valid() && attrs.beta != 1.0f)) return false;
    const std::int64_t n = editor.type(node.outputs[0]).shape.back();
    if (c.valid() && editor.type(c).shape != Shape{n}) return false;
    if (c.valid()) inputs.push_back(c);
    turned = attrs.transB;
  }
  std::shared_ptr<const Constant> right = weight;
  if (!turned) {
    auto made = transpose_weight(*weight);
    if (!made) return made.error();
    right = std::make_shared<Constant>(made.take());
  }
  inputs[1] = editor.add_constant(std::move(right));
  if (!editor.runs(targets, "polaris.Linear", inputs)) return false;
  auto made = replace_node(editor, user, "polaris.Linear", std::move(inputs));
  if (!made) return made.error();
  return true;
}

/// Ops that take encoded inputs as they are: the integers stand where their float copy stood.
bool feed_directly(Editor& editor, const Targets& targets, NodeId user,
                   const std::shared_ptr<Constant>& weight, ValueId dequantized, ValueId& encoded) {
  const Node& node = editor.node(user);
  bool done = false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != dequantized) continue;
    if ((node.op->input_flags(static_cast<int>(i)) & kAcceptsEncoded) == 0) continue;
    // Of float16 only where results have the type of another input.
    const bool same_type = editor.type(dequantized).dtype == weight->data.dtype();
    if (!same_type && !node.op->is("Linear", "polaris")) continue;
    if (!encoded.valid()) encoded = editor.add_constant(weight);
    std::vector<ValueId> inputs = node.inputs;
    inputs[i] = encoded;
    if (!editor.runs(targets, op_full_name(*node.op), inputs, node.attrs.get(),
                     static_cast<int>(node.outputs.size()))) {
      continue;
    }
    editor.set_input(user, i, encoded);
    done = true;
  }
  return done;
}

Result<bool> encode_weight(Editor& editor, const Targets& targets, NodeId id) {
  const Node& node = editor.node(id);
  const ValueId dequantized = node.outputs[0];
  const auto weight = affine_weight(editor, node);
  if (!weight || !editor.is_internal(dequantized)) return false;
  const Users range = editor.users(dequantized);
  const std::vector<NodeId> users(range.begin(), range.end());
  ValueId encoded;
  bool changed = false;
  for (NodeId user : users) {
    if (editor.node(user).dead) continue;
    editor.focus(user);
    auto done = feed_linear(editor, targets, user, weight, dequantized);
    if (!done) return done;
    changed |= *done || feed_directly(editor, targets, user, weight, dequantized, encoded);
  }
  editor.remove_if_dead(id);
  return changed;
}

/// An encoded constant on a port that does not take it goes through Decode.
Status decode_inputs(Editor& editor, NodeId id) {
  const std::size_t count = editor.node(id).inputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = editor.node(id);
    const ValueId input = node.inputs[i];
    if (!input.valid() || editor.type(input).encoding.is_plain()) continue;
    if ((node.op->input_flags(static_cast<int>(i)) & kAcceptsEncoded) != 0) continue;
    auto plain =
        add_value(editor, id, "polaris.Decode", {input}, editor.value(input).name + ".decoded");
    if (!plain) return plain.error();
    editor.set_input(id, i, *plain);
  }
  return Status::success();
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  Editor editor(graph, ops);
  const std::vector<NodeId> order = graph.order();
  for (NodeId id : order) {
    if (graph.node(id).dead) continue;
    if (graph.node(id).op->is("DequantizeLinear")) {
      if (auto done = encode_weight(editor, targets, id); !done) return done;
    }
    if (graph.node(id).dead) continue;
    if (auto s = decode_inputs(editor, id); !s) return s.error();
  }
  return editor.changed();
}

}  // namespace

extern constinit const Pass pass_decode_weights{
    .name = "decode_weights",
    .doc =
        "Gives quantized weights one form: DequantizeLinear of constants becomes an affine encoded "
        "constant of the op that reads it; where an op takes no encoded input, polaris.Decode goes "
        "before it.",
    .run = run,
    .per_device = true,
};

}  // namespace polaris
