#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "ir/op_attrs/conv.h"
#include "ir/op_attrs/matmul.h"
#include "ir/op_attrs/quantize.h"
#include "pass/editor.h"
#include "pass/pass.h"
#include "pass/weights.h"

namespace polaris {
namespace {

/// Scale and zero point of a QuantizeLinear or DequantizeLinear whose parameters are constants.
struct Params {
  ValueId scale;
  ValueId zero;  // kNoValue: zero
  DType dtype = DType::kI8;
};

bool is_8_bit(DType dtype) { return dtype == DType::kI8 || dtype == DType::kU8; }

std::optional<Params> params_of(const Editor& editor, const Node& node, ValueId quantized) {
  Params out;
  out.scale = node.inputs[1];
  out.zero = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
  out.dtype = editor.type(quantized).dtype;
  if (editor.constant(out.scale) == nullptr) return std::nullopt;
  if (out.zero.valid() && editor.constant(out.zero) == nullptr) return std::nullopt;
  return out;
}

bool is_per_tensor(const Editor& editor, const Params& params) {
  return editor.constant(params.scale)->elements() == 1 &&
         (!params.zero.valid() || editor.constant(params.zero)->elements() == 1);
}

std::int64_t zero_of(const Editor& editor, const Params& params) {
  return params.zero.valid() ? element_as_i64(*editor.constant(params.zero), 0) : 0;
}

std::int64_t lowest(DType dtype) { return dtype == DType::kU8 ? 0 : -128; }
std::int64_t highest(DType dtype) { return dtype == DType::kU8 ? 255 : 127; }

bool same_params(const Editor& editor, const Params& a, const Params& b) {
  if (!is_per_tensor(editor, a) || !is_per_tensor(editor, b) || a.dtype != b.dtype) return false;
  return element_as_f64(*editor.constant(a.scale), 0) ==
             element_as_f64(*editor.constant(b.scale), 0) &&
         zero_of(editor, a) == zero_of(editor, b);
}

/// A quantized operand: what DequantizeLinear read, and its parameters.
struct Operand {
  ValueId q;
  Params params;
  std::int64_t axis = -1;  // of the parameters, where they are not per tensor
};

std::optional<Operand> dequantized(const Editor& editor, ValueId value) {
  const Node* node = editor.producer(value, "DequantizeLinear");
  if (node == nullptr || node->attrs_as<DequantizeLinearAttrs>().block_size > 0) {
    return std::nullopt;
  }
  const auto params = params_of(editor, *node, node->inputs[0]);
  if (!params || editor.type(value).dtype != DType::kF32) return std::nullopt;
  Operand out{node->inputs[0], *params, -1};
  if (!is_per_tensor(editor, *params)) {
    const auto axis = normalize_axis(node->attrs_as<DequantizeLinearAttrs>().axis,
                                     editor.type(value).shape.rank());
    if (!axis) return std::nullopt;
    out.axis = *axis;
  }
  return out;
}

bool only_moves(const Node& node) {
  return node.op->has_trait(kPicksElements) && node.op->domain.empty() && node.outputs.size() == 1;
}
std::size_t data_inputs(const Node& node) {
  return (node.op->input_flags(0) & kVariadic) != 0 ? node.inputs.size() : 1;
}
bool is_product(const Node& node) {
  return node.op->is("Conv") || node.op->is("MatMul") || node.op->is("Gemm");
}
// Moves between a product and the quantization that would serve it.
constexpr int kMovesMax = 8;

class Fuser {
 public:
  Fuser(Graph& graph, const Targets& targets, const OpSet& ops)
      : editor_(graph, ops), targets_(targets) {}
  Result<bool> run();

 private:
  Result<bool> fuse(NodeId quantize, int moves);
  Result<bool> fuse_conv(NodeId quantize, const Node& conv, const Params& y);
  Result<bool> fuse_matmul(NodeId quantize, const Node& matmul, const Params& y);
  Result<bool> fuse_gemm(NodeId quantize, const Node& gemm, const Params& y);
  Result<bool> sink(NodeId move);
  bool feeds_product(ValueId value) const;
  Result<bool> hoist(NodeId quantize, NodeId move, const Params& y, int moves);
  bool comes_from_product(ValueId value, const Params& y, int moves) const;
  Result<bool> move_through(NodeId quantize, const Node& op, const Params& y);
  ValueId through_clamp(ValueId value, const Params& y);
  bool clamp_is_free(const Node& node, const Params& y) const;
  ValueId zero_point(const Params& params);
  Result<ValueId> int_bias(ValueId bias, const Operand& x, const Operand& w, const Params& y,
                           std::int64_t n);
  Result<ValueId> rounded_bias(ValueId bias, const Operand& x, const Operand& w, const Params& y,
                               std::int64_t n);
  Result<bool> emit(NodeId quantize, std::string_view op, std::vector<ValueId> inputs,
                    std::unique_ptr<Attrs> attrs);

  Editor editor_;
  const Targets& targets_;
};

/// The zero point as a value; absent ones are spelled out with the scale's shape.
ValueId Fuser::zero_point(const Params& params) {
  if (params.zero.valid()) return params.zero;
  auto zeros = Tensor::allocate(params.dtype, editor_.type(params.scale).shape);
  if (!zeros) return kNoValue;
  return editor_.add_constant(editor_.value(params.scale).name + ".zero_point", zeros.take());
}

/// Whether clamping (Relu, Clip) before quantizing changes nothing: the representable range lies
/// within what the clamp lets through, so saturation does the same.
bool Fuser::clamp_is_free(const Node& node, const Params& y) const {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  if (node.op->is("Relu")) {
    low = 0;
  } else if (node.op->is("Clip")) {
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      if (!node.inputs[i].valid()) continue;
      const Tensor* bound = editor_.constant(node.inputs[i]);
      if (bound == nullptr || bound->elements() != 1) return false;
      (i == 1 ? low : high) = element_as_f64(*bound, 0);
    }
  } else {
    return false;
  }
  if (!is_per_tensor(editor_, y)) return false;
  const double scale = element_as_f64(*editor_.constant(y.scale), 0);
  const auto zero = static_cast<double>(zero_of(editor_, y));
  return scale > 0 && low <= scale * (static_cast<double>(lowest(y.dtype)) - zero) &&
         high >= scale * (static_cast<double>(highest(y.dtype)) - zero);
}

/// What stands before a clamp that quantizing makes superfluous; the value itself without one.
ValueId Fuser::through_clamp(ValueId value, const Params& y) {
  const NodeId id = editor_.value(value).producer;
  if (!id.valid() || !editor_.in_focus(editor_.node(id)) || !editor_.only_user(value).valid()) {
    return value;
  }
  const Node& node = editor_.node(id);
  return clamp_is_free(node, y) ? node.inputs[0] : value;
}

/// A float bias as int32 at scale x * w. It is off by at most half of that scale, so it moves an
/// output by at most half a step where the scale is no coarser than the output's; else kNoValue.
Result<ValueId> Fuser::rounded_bias(ValueId bias, const Operand& x, const Operand& w,
                                    const Params& y, std::int64_t n) {
  // What products of 8-bit integers add must have room beside it.
  constexpr double kMost = 1 << 30;
  const Tensor* data = editor_.constant(bias);
  const Tensor& w_scale = *editor_.constant(w.params.scale);
  const std::int64_t scales = w_scale.elements();
  if (data == nullptr || data->dtype() != DType::kF32 || data->elements() != n ||
      data->shape().rank() == 0 || data->shape()[data->shape().rank() - 1] != n ||
      (scales != 1 && scales != n)) {
    return kNoValue;
  }
  auto rounded = Tensor::allocate(DType::kI32, {n});
  if (!rounded) return rounded.error();
  const double x_scale = element_as_f64(*editor_.constant(x.params.scale), 0);
  const double step = element_as_f64(*editor_.constant(y.scale), 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const double scale = x_scale * element_as_f64(w_scale, scales == 1 ? 0 : i);
    const double whole = std::nearbyint(element_as_f64(*data, i) / scale);
    if (!(scale > 0 && scale <= step && std::fabs(whole) <= kMost)) return kNoValue;
    rounded->mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(whole);
  }
  return editor_.add_constant(editor_.value(bias).name + ".int32", rounded.take());
}

/// The int32 constant behind a bias: an integer at scale x * w. Anything else is an error value
/// that the caller takes for "leave the node alone": kNoValue.
Result<ValueId> Fuser::int_bias(ValueId bias, const Operand& x, const Operand& w, const Params& y,
                                std::int64_t n) {
  if (editor_.constant(bias) != nullptr) return rounded_bias(bias, x, w, y, n);
  const auto source = dequantized(editor_, bias);
  if (!source || source->params.dtype != DType::kI32) return kNoValue;
  const Tensor* data = editor_.constant(source->q);
  if (data == nullptr || data->shape() != Shape{n}) return kNoValue;
  if (source->params.zero.valid()) {
    const Tensor& zero = *editor_.constant(source->params.zero);
    for (std::int64_t i = 0; i < zero.elements(); ++i) {
      if (element_as_i64(zero, i) != 0) return kNoValue;
    }
  }
  const auto scale = [&](const Params& params, std::int64_t i) {
    const Tensor& tensor = *editor_.constant(params.scale);
    return element_as_f64(tensor, tensor.elements() == 1 ? 0 : i);
  };
  for (const Params* params : {&source->params, &w.params}) {
    const std::int64_t count = editor_.constant(params->scale)->elements();
    if (count != 1 && count != n) return kNoValue;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const double wanted = scale(x.params, 0) * scale(w.params, i);
    if (!(std::fabs(scale(source->params, i) - wanted) <= 1e-5 * wanted)) return kNoValue;
  }
  return source->q;
}

Result<bool> Fuser::emit(NodeId quantize, std::string_view op, std::vector<ValueId> inputs,
                         std::unique_ptr<Attrs> attrs) {
  if (!editor_.runs(targets_, op, inputs, attrs.get())) return false;
  auto made = replace_node(editor_, quantize, op, std::move(inputs), std::move(attrs));
  if (!made) return made.error();
  return true;
}

Result<bool> Fuser::fuse_conv(NodeId quantize, const Node& conv, const Params& y) {
  const auto x = dequantized(editor_, conv.inputs[0]);
  const auto w = dequantized(editor_, conv.inputs[1]);
  if (!x || !w || !is_per_tensor(editor_, x->params) || !is_8_bit(x->params.dtype) ||
      !is_8_bit(w->params.dtype) || (w->axis != -1 && w->axis != 0)) {
    return false;
  }
  std::vector<ValueId> inputs{x->q,    x->params.scale, zero_point(x->params),
                              w->q,    w->params.scale, zero_point(w->params),
                              y.scale, zero_point(y)};
  if (conv.inputs.size() > 2 && conv.inputs[2].valid()) {
    const std::int64_t channels = editor_.type(conv.inputs[1]).shape[0];
    auto bias = int_bias(conv.inputs[2], *x, *w, y, channels);
    if (!bias) return bias.error();
    if (!bias->valid()) return false;
    inputs.push_back(*bias);
  }
  return emit(quantize, "QLinearConv", std::move(inputs), conv.attrs->clone());
}

Result<bool> Fuser::fuse_matmul(NodeId quantize, const Node& matmul, const Params& y) {
  const auto a = dequantized(editor_, matmul.inputs[0]);
  const auto b = dequantized(editor_, matmul.inputs[1]);
  if (!a || !b || !is_per_tensor(editor_, a->params) || !is_8_bit(a->params.dtype) ||
      !is_8_bit(b->params.dtype)) {
    return false;
  }
  // Parameters of b per column: along its last dim, and b a matrix.
  const int rank = editor_.type(b->q).shape.rank();
  if (b->axis != -1 && (rank != 2 || b->axis != 1)) return false;
  return emit(quantize, "QLinearMatMul",
              {a->q, a->params.scale, zero_point(a->params), b->q, b->params.scale,
               zero_point(b->params), y.scale, zero_point(y)},
              nullptr);
}

/// Gemm with a constant weight as a 1x1 QLinearConv over [M, K, 1, 1]: the form that has an int32
/// bias. The reshapes around it are views.
Result<bool> Fuser::fuse_gemm(NodeId quantize, const Node& gemm, const Params& y) {
  const auto& attrs = gemm.attrs_as<GemmAttrs>();
  const auto x = dequantized(editor_, gemm.inputs[0]);
  const auto w = dequantized(editor_, gemm.inputs[1]);
  const bool has_c = gemm.inputs.size() > 2 && gemm.inputs[2].valid();
  if (!x || !w || !is_per_tensor(editor_, x->params) || !is_8_bit(x->params.dtype) ||
      !is_8_bit(w->params.dtype) || attrs.transA || attrs.alpha != 1.0f ||
      (has_c && attrs.beta != 1.0f)) {
    return false;
  }
  const std::shared_ptr<const Constant> source = editor_.value(w->q).constant;
  const std::int64_t n = editor_.type(gemm.outputs[0]).shape[1];
  if (!source || !is_static_dim(n) || (w->axis != -1 && w->axis != (attrs.transB ? 0 : 1))) {
    return false;
  }
  ValueId bias;
  if (has_c) {
    auto found = int_bias(gemm.inputs[2], *x, *w, y, n);
    if (!found) return found.error();
    if (!found->valid()) return false;
    bias = *found;
  }
  Constant weight = *source;
  if (!attrs.transB) {
    auto turned = transpose_weight(*source);
    if (!turned) return turned.error();
    weight = turned.take();
  }
  const Shape shape = weight.data.shape();
  weight.data = weight.data.reshaped({shape[0], shape[1], 1, 1});
  const std::string name = editor_.node(quantize).name;
  const auto shape_value = [&](std::vector<std::int64_t> dims) {
    auto tensor =
        Tensor::from<std::int64_t>(DType::kI64, {static_cast<std::int64_t>(dims.size())}, dims);
    return tensor ? editor_.add_constant(name + ".shape", tensor.take()) : kNoValue;
  };
  auto wide =
      add_value(editor_, quantize, "Reshape", {x->q, shape_value({0, 0, 1, 1})}, name + ".wide");
  if (!wide) return wide.error();
  std::vector<ValueId> inputs{*wide,
                              x->params.scale,
                              zero_point(x->params),
                              editor_.add_constant(std::make_shared<Constant>(std::move(weight))),
                              w->params.scale,
                              zero_point(w->params),
                              y.scale,
                              zero_point(y)};
  if (bias.valid()) inputs.push_back(bias);
  if (!editor_.runs(targets_, "QLinearConv", inputs)) {
    editor_.remove_if_dead(editor_.value(*wide).producer);
    return false;
  }
  auto conv = add_value(editor_, quantize, "QLinearConv", std::move(inputs), name + ".conv");
  if (!conv) return conv.error();
  return emit(quantize, "Reshape", {*conv, shape_value({0, 0})}, nullptr);
}

/// Whether some user of the value is a product, or moves elements for one; asks a few only.
bool Fuser::feeds_product(ValueId value) const {
  constexpr std::size_t kAsked = 16;
  std::vector<ValueId> values{value};
  for (std::size_t i = 0; i < values.size() && i < kAsked; ++i) {
    for (const NodeId id : editor_.users(values[i])) {
      const Node& node = editor_.node(id);
      if (!editor_.in_focus(node)) continue;
      if (is_product(node)) return true;
      if (only_moves(node) && values.size() < kAsked) values.push_back(node.outputs[0]);
    }
  }
  return false;
}

/// DequantizeLinear -> move -> product: the move goes first, so that the product sees its
/// DequantizeLinear.
Result<bool> Fuser::sink(NodeId id) {
  const Node& move = editor_.node(id);
  if (!only_moves(move)) return false;
  std::vector<ValueId> inputs = move.inputs;
  std::optional<Params> params;
  for (std::size_t i = 0; i < data_inputs(move); ++i) {
    const auto source = dequantized(editor_, inputs[i]);
    if (!source || !is_8_bit(source->params.dtype) || editor_.value(source->q).constant ||
        !same_params(editor_, source->params, params.value_or(source->params))) {
      return false;
    }
    params = source->params;
    inputs[i] = source->q;
  }
  if (!params || !feeds_product(move.outputs[0]) ||
      !editor_.runs(targets_, move.op->name, inputs, move.attrs.get())) {
    return false;
  }
  const std::string name = editor_.value(move.outputs[0]).name + ".quantized";
  auto moved = add_value(editor_, id, move.op->name, std::move(inputs), name, move.attrs->clone());
  if (!moved) return moved.error();
  std::vector<ValueId> dequantize{*moved, params->scale};
  if (params->zero.valid()) dequantize.push_back(params->zero);
  auto made = replace_node(editor_, id, "DequantizeLinear", std::move(dequantize));
  if (!made) return made.error();
  return true;
}

/// Whether the value is a product of dequantized operands, but for moves and clamps that
/// quantizing makes superfluous.
bool Fuser::comes_from_product(ValueId value, const Params& y, int moves) const {
  const NodeId id = editor_.value(value).producer;
  if (!id.valid() || !editor_.only_user(value).valid()) return false;
  const Node& node = editor_.node(id);
  if (!editor_.in_focus(node)) return false;
  if (is_product(node)) {
    return dequantized(editor_, node.inputs[0]) && dequantized(editor_, node.inputs[1]);
  }
  if (moves == 0) return false;
  if (clamp_is_free(node, y)) return comes_from_product(node.inputs[0], y, moves - 1);
  if (!only_moves(node)) return false;
  for (std::size_t i = 0; i < data_inputs(node); ++i) {
    if (comes_from_product(node.inputs[i], y, moves - 1)) return true;
  }
  return false;
}

/// Product -> move -> QuantizeLinear: the move goes last, so that the product sees its
/// QuantizeLinear.
Result<bool> Fuser::hoist(NodeId quantize, NodeId move, const Params& y, int moves) {
  if (moves == 0 || !only_moves(editor_.node(move)) ||
      !comes_from_product(editor_.node(move).outputs[0], y, moves)) {
    return false;
  }
  const std::string_view op = editor_.node(move).op->name;
  const std::size_t count = data_inputs(editor_.node(move));
  auto attrs = editor_.node(move).attrs->clone();
  std::vector<ValueId> inputs = editor_.node(move).inputs;
  std::vector<NodeId> made;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<ValueId> parts{inputs[i], y.scale};
    if (y.zero.valid()) parts.push_back(y.zero);
    auto q = add_value(editor_, quantize, "QuantizeLinear", std::move(parts),
                       editor_.value(inputs[i]).name + ".quantized",
                       editor_.node(quantize).attrs->clone());
    if (!q) return q.error();
    inputs[i] = *q;
    made.push_back(editor_.value(*q).producer);
  }
  auto moved = emit(quantize, op, std::move(inputs), std::move(attrs));
  if (!moved) return moved;
  for (const NodeId q : made) {
    if (!*moved) {
      editor_.remove_if_dead(q);
    } else if (auto done = fuse(q, moves - 1); !done) {
      return done;
    }
  }
  return moved;
}

/// Ops that only move elements, or pick the largest: they give the same on the integers when what
/// goes in and what comes out have one scale and zero point.
Result<bool> Fuser::move_through(NodeId quantize, const Node& op, const Params& y) {
  const bool clamp = clamp_is_free(op, y);
  if (!op.op->domain.empty() || op.outputs.size() != 1 || (!clamp && !only_moves(op))) {
    return false;
  }
  std::vector<ValueId> inputs = op.inputs;
  for (std::size_t i = 0; i < data_inputs(op); ++i) {
    const auto source = dequantized(editor_, inputs[i]);
    if (!source || !same_params(editor_, source->params, y)) return false;
    inputs[i] = source->q;
  }
  if (clamp) {
    const ValueId out = editor_.node(quantize).outputs[0];
    if (!editor_.may_replace(out, inputs[0])) return false;
    editor_.replace(out, inputs[0], true);
    editor_.remove_if_dead(quantize);
    return true;
  }
  return emit(quantize, op.op->name, std::move(inputs), op.attrs->clone());
}

/// `moves`: how many may still change places with a QuantizeLinear.
Result<bool> Fuser::fuse(NodeId quantize, int moves) {
  const Node& q = editor_.node(quantize);
  const ValueId out = q.outputs[0];
  const auto y = params_of(editor_, q, out);
  if (!y || !is_8_bit(y->dtype) || !is_per_tensor(editor_, *y) ||
      q.attrs_as<QuantizeLinearAttrs>().block_size > 0 ||
      editor_.type(y->scale).dtype != DType::kF32) {
    return false;
  }
  if (const auto source = dequantized(editor_, q.inputs[0])) {
    // Quantizing again with the same parameters gives the integers back.
    if (!same_params(editor_, source->params, *y) || !editor_.may_replace(out, source->q)) {
      return false;
    }
    editor_.replace(out, source->q, true);
    editor_.remove_if_dead(quantize);
    return true;
  }
  const ValueId direct = q.inputs[0];
  const ValueId value = through_clamp(direct, *y);
  const NodeId producer = editor_.value(value).producer;
  if (!producer.valid() || !editor_.only_user(value).valid() ||
      !editor_.only_user(direct).valid()) {
    return false;
  }
  const Node& node = editor_.node(producer);
  if (!editor_.in_focus(node)) return false;
  if (node.op->is("Conv")) return fuse_conv(quantize, node, *y);
  if (node.op->is("MatMul")) return fuse_matmul(quantize, node, *y);
  if (node.op->is("Gemm")) return fuse_gemm(quantize, node, *y);
  const Node& last = editor_.node(editor_.value(direct).producer);
  if (auto done = move_through(quantize, last, *y); !done || *done) return done;
  return hoist(quantize, producer, *y, moves);
}

Result<bool> Fuser::run() {
  const std::vector<NodeId> order = editor_.graph().order();
  for (NodeId id : order) {
    if (editor_.node(id).dead) continue;
    editor_.focus(id);
    if (auto done = sink(id); !done) return done;
  }
  for (NodeId id : order) {
    const Node& node = editor_.node(id);
    if (node.dead || !node.op->is("QuantizeLinear")) continue;
    editor_.focus(id);
    if (auto done = fuse(id, kMovesMax); !done) return done;
  }
  return editor_.changed();
}

Result<bool> run(Graph& graph, const Targets& targets, const OpSet& ops) {
  return Fuser(graph, targets, ops).run();
}

constexpr std::string_view kStartsAt[] = {"DequantizeLinear", "QuantizeLinear"};

}  // namespace

extern constinit const Pass pass_fuse_qdq{
    .name = "fuse_qdq",
    .doc =
        "DequantizeLinear -> Conv, MatMul or Gemm -> QuantizeLinear becomes QLinearConv or "
        "QLinearMatMul with an int32 bias; ops that only move elements, or pick the largest, "
        "work on the integers.",
    .run = run,
    .per_device = true,
    .starts_at = kStartsAt,
};

}  // namespace polaris
