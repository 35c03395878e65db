#include "backend/vulkan/parts/linear_stage.h"

#include "base/checked.h"
#include "ir/op_attrs/matmul.h"

namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

bool has_output(const NodeDesc& node, std::size_t i) {
  return i < node.outputs.size() && node.outputs[i].present;
}

/// Input `i` where the node has it, else -1.
int optional_input(const NodeDesc& node, int i) {
  return has_input(node, static_cast<std::size_t>(i)) ? i : -1;
}

LinearStage stage_of(const NodeDesc& node) {
  LinearStage s;
  s.any = true;
  if (node.op->name == "NormLinear") {
    s.squares = 2;
    s.bias = 3;
    s.epsilon = node.attributes<NormLinearAttrs>().epsilon;
  } else if (node.op->name == "GatedLinear") {
    const auto& attrs = node.attributes<GatedLinearAttrs>();
    s.up = 2;
    s.bias = -1;
    s.squares = optional_input(node, 3);
    s.epsilon = attrs.epsilon;
    s.gate = attrs.activation == "silu" ? 1 : 2;
  } else {
    s.residual = 2;
    s.bias = -1;
    s.scale = optional_input(node, 3);
    s.normed = s.scale >= 0 && has_output(node, 1);
    s.new_squares = has_output(node, 2);
  }
  if (s.squares < 0) return s;
  s.squares_in = node.inputs[static_cast<std::size_t>(s.squares)].type.shape.back();
  s.size = node.inputs[0].type.shape.back();
  return s;
}

}  // namespace

std::uint32_t LinearStage::bits() const {
  return (squares >= 0 ? 1u : 0u) | (residual >= 0 ? 2u : 0u) | (new_squares ? 4u : 0u) |
         (normed ? 8u : 0u);
}

std::string LinearStage::name() const {
  std::string out;
  if (squares >= 0) out += "_scaled";
  if (up >= 0) out += "_gated";
  if (residual >= 0) out += "_residual";
  if (normed) out += "_normed";
  return out;
}

std::vector<std::uint32_t> LinearStage::push(std::int64_t y_n) const {
  return {word(squares_in), word(ceil_div(y_n, kSquaresOf)), float_bits(static_cast<float>(size)),
          float_bits(epsilon)};
}

std::vector<Operand> LinearStage::operands(const Operand& up_part) const {
  const auto at = [](int input) { return input < 0 ? Operand::params() : Operand::input(input); };
  return {up < 0 ? Operand::params() : up_part,
          at(residual),
          at(squares),
          at(scale),
          normed ? Operand::output(1) : Operand::params(),
          new_squares ? Operand::output(2) : Operand::params()};
}

Result<LinearStage> read_linear_stage(const NodeDesc& node) {
  if (node.op->domain != "polaris" || node.op->name == "Linear") return LinearStage();
  const LinearStage s = stage_of(node);
  for (const int i : {0, s.residual, s.squares, s.scale}) {
    if (i < 0) continue;
    const TensorType& type = node.inputs[static_cast<std::size_t>(i)].type;
    if (type.dtype != DType::kF32 || !type.encoding.is_plain()) {
      return refuse(node, "activations of another type than float32");
    }
  }
  return s;
}

Dispatch sum_squares(std::int64_t rows, std::int64_t size) {
  const std::int64_t sums = ceil_div(size, kSquaresOf);
  Dispatch d;
  d.shader = "row_squares";
  d.push = {word(rows), word(size), word(sums)};
  d.operands = {Operand::output(0), Operand::output(2)};
  d.grid = {word(ceil_div(sums, 32)), word(rows), 1};
  d.estimate_us = model_us(rows * size * 4, rows * size * 2);
  return d;
}

}  // namespace polaris::vulkan
