// com.microsoft: ops on quantized tensors, as plain ops between DequantizeLinear and
// QuantizeLinear, which passes bring to integers where they can.
#include <string>
#include <vector>

#include "load/onnx/op/steps.h"

namespace polaris::onnx {
namespace {

std::vector<ValueId> present(std::initializer_list<ValueId> values) {
  std::vector<ValueId> out(values);
  while (!out.empty() && !out.back().valid()) out.pop_back();
  return out;
}

/// Inputs first, first + 1 and first + 2: a tensor, its scale and its zero point.
ValueId dequantized(Steps& s, std::size_t first, std::int64_t axis = 1) {
  return s.add("DequantizeLinear",
               present({s.needed(first), s.needed(first + 1), s.input(first + 2)}),
               {{"axis", axis}});
}

/// In the type of the zero point or, without one, of `like`.
ValueId quantized(Steps& s, ValueId x, std::size_t scale, ValueId like) {
  const ValueId zero = s.input(scale + 1).valid() ? s.input(scale + 1) : s.number_like(0, like);
  return s.add("QuantizeLinear", {x, s.needed(scale), zero});
}

Status binary(NodeImport& node, std::string_view op) {
  Steps s(node);
  const ValueId result = s.add(op, {dequantized(s, 0), dequantized(s, 3)});
  s.give(0, quantized(s, result, 6, s.needed(0)));
  return s.status();
}

/// Of one tensor: x, its scale and zero point, then those of the result.
Status unary(NodeImport& node, std::string_view op) {
  Steps s(node);
  const ValueId result = s.add_by(op, {dequantized(s, 0)}, node.attrs);
  s.give(0, quantized(s, result, 3, s.needed(0)));
  return s.status();
}

/// An integer product as float32: its scales' product times it, and a bias.
ValueId scaled(Steps& s, ValueId product, ValueId a_scale, ValueId b_scale, ValueId bias) {
  const ValueId as_float = s.add("CastLike", {product, a_scale});
  return s.plus(s.add("Mul", {as_float, s.add("Mul", {a_scale, b_scale})}), bias);
}

/// Tensors with channels last, at the hands of an op that has them second.
Status channels_last(NodeImport& node, std::string_view op) {
  const bool last = node.attrs.get_int("channels_last").value_or(0) != 0;
  node.attrs.drop("channels_last");
  if (last) return node.unsupported("channels_last, wanted 0");
  return unary(node, op);
}

}  // namespace

Status q_linear_add(NodeImport& node) { return binary(node, "Add"); }
Status q_linear_mul(NodeImport& node) { return binary(node, "Mul"); }
Status q_linear_sigmoid(NodeImport& node) { return unary(node, "Sigmoid"); }
Status q_linear_leaky_relu(NodeImport& node) { return unary(node, "LeakyRelu"); }
Status q_linear_average_pool(NodeImport& node) { return channels_last(node, "AveragePool"); }
Status q_linear_global_average_pool(NodeImport& node) {
  return channels_last(node, "GlobalAveragePool");
}

/// Over one axis, or before op-set 13 of ONNX's Softmax over it and all behind it.
Status q_linear_softmax(NodeImport& node) {
  const std::int64_t opset = node.attrs.get_int("opset").value_or(13);
  node.attrs.drop("opset");
  const std::int64_t axis = node.attrs.get_int("axis").value_or(-1);
  const int rank = node.rank(0);
  if (opset < 13 && (rank < 0 || (axis != -1 && axis != rank - 1))) {
    return node.unsupported("axis of op-set " + std::to_string(opset) + ", wanted the last");
  }
  node.attrs.set_int("axis", axis);
  return unary(node, "Softmax");
}

Status q_linear_concat(NodeImport& node) {
  if (Status s = node.require("axis"); !s) return s;
  if (node.inputs.size() < 5 || (node.inputs.size() - 2) % 3 != 0) {
    return node.fail("inputs, got " + std::to_string(node.inputs.size()) +
                     ", wanted 2 and three a tensor");
  }
  Steps s(node);
  std::vector<ValueId> parts;
  for (std::size_t i = 2; i < node.inputs.size(); i += 3) parts.push_back(dequantized(s, i));
  const ValueId result = s.add_by("Concat", std::move(parts), node.attrs);
  s.give(0, quantized(s, result, 0, s.needed(2)));
  return s.status();
}

Status q_linear_where(NodeImport& node) {
  Steps s(node);
  const ValueId result = s.add("Where", {s.needed(0), dequantized(s, 1), dequantized(s, 4)});
  s.give(0, quantized(s, result, 7, s.needed(1)));
  return s.status();
}

Status matmul_integer_to_float(NodeImport& node) {
  Steps s(node);
  const ValueId product =
      s.add("MatMulInteger", present({s.needed(0), s.needed(1), s.input(4), s.input(5)}));
  s.give(0, scaled(s, product, s.needed(2), s.needed(3), s.input(6)));
  return s.status();
}

Status dynamic_quantize_matmul(NodeImport& node) {
  Steps s(node);
  const auto a = s.add_all("DynamicQuantizeLinear", {s.needed(0)}, 3);
  const ValueId product = s.add("MatMulInteger", present({a[0], s.needed(1), a[2], s.input(3)}));
  s.give(0, scaled(s, product, a[1], s.needed(2), s.input(4)));
  return s.status();
}

}  // namespace polaris::onnx
