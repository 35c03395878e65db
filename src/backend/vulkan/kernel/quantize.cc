#include <algorithm>
#include <string>

#include "backend/vulkan/parts/affine_weight.h"
#include "backend/vulkan/parts/block_shaders.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/quantize.h"

/// QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear and polaris.Decode.
namespace polaris::vulkan {
namespace {

constexpr std::int64_t kThreads = 256;

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// [outer, axis, inner] of the scale, and whether it is one, by axis or by block.
struct Scales {
  std::uint32_t mode = 0;
  std::int64_t axis = 1, inner = 1, block = 1;
};

template <class A>
Result<Scales> read_scales(const NodeDesc& node) {
  const Shape& x = node.inputs[0].type.shape;
  Scales s;
  const std::int64_t block = node.attributes<A>().block_size;
  if (operand_elements(node.inputs[1]) == 1 && block == 0) return s;
  const auto axis = normalize_axis(node.attributes<A>().axis, x.rank());
  if (!axis) return refuse(node, "an axis outside the rank");
  s.mode = block > 0 ? 2 : 1;
  s.axis = x[*axis];
  s.inner = x.elements_between(*axis + 1, x.rank());
  s.block = std::max<std::int64_t>(block, 1);
  return s;
}

/// Type codes of x, scale and y as quantize.comp has them.
Result<std::uint32_t> read_types(const NodeDesc& node, bool quantize) {
  const DType from = node.inputs[0].type.dtype;
  const DType to = node.outputs[0].type.dtype;
  const Result<std::uint32_t> scale = float_code(node, node.inputs[1]);
  if (!scale) return scale;
  for (const OperandDesc* operand : {&node.inputs[0], &node.outputs[0]}) {
    if (!is_float(operand->type.dtype)) continue;
    const Result<std::uint32_t> code = float_code(node, *operand);
    if (!code) return code;
  }
  const DType integer = quantize ? to : from;
  if (dtype_info(integer).bits > 16 && (quantize || integer != DType::kI32)) {
    return refuse(node, "integers of " + std::string(dtype_name(integer)));
  }
  return type_code(from) | *scale << 8 | type_code(to) << 16;
}

/// The dispatch but for its operands.
Dispatch make_linear(const VulkanTarget& target, std::int64_t elements, bool quantize,
                     const Scales& s, bool zero, std::uint32_t types) {
  Dispatch d;
  d.shader = quantize ? "quantize.to" : "quantize.from";
  d.constants = {s.mode, zero ? 1u : 0u, types};
  d.push = {word(elements), word(s.axis), word(s.inner), word(s.block)};
  d.grid = grid_1d(target, ceil_div(elements, kThreads));
  d.barrier_before = false;
  d.estimate_us = model_us(elements * 5, elements * (quantize ? 40 : 4));
  return d;
}

KernelResult select_linear(const VulkanTarget& target, const NodeDesc& node, bool quantize) {
  const Result<std::uint32_t> types = read_types(node, quantize);
  if (!types) return types.error();
  Result<Scales> scales =
      quantize ? read_scales<QuantizeLinearAttrs>(node) : read_scales<DequantizeLinearAttrs>(node);
  if (!scales) return scales.error();
  const bool zero = has_input(node, 2);
  auto kernel = std::make_shared<VulkanKernel>(quantize ? "quantize" : "dequantize");
  Dispatch d =
      make_linear(target, operand_elements(node.inputs[0]), quantize, *scales, zero, *types);
  d.operands = {Operand::input(0), Operand::input(1), Operand::input(zero ? 2 : 0),
                Operand::output(0)};
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

/// polaris.Decode of integers with scales: a DequantizeLinear of the packed constant.
KernelResult select_affine(const VulkanTarget& target, const NodeDesc& node) {
  const Result<AffineWeight> weight = read_affine_weight(target, node, 0);
  if (!weight) return weight.error();
  const Result<std::uint32_t> y = float_code(node, node.outputs[0]);
  if (!y) return y.error();
  auto kernel = make_affine_kernel("decode_affine", 0, *weight);
  Dispatch d = make_linear(target, operand_elements(node.inputs[0]), false,
                           {weight->mode, weight->axis, weight->inner, weight->block}, weight->zero,
                           type_code(weight->storage) | *y << 16);
  d.operands = {Operand::input(0, 0, weight->data_bytes), weight->scales(0), weight->zeros(0),
                Operand::output(0)};
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

KernelResult select_dynamic(const VulkanTarget& target, const NodeDesc& node) {
  const std::int64_t elements = operand_elements(node.inputs[0]);
  const std::int64_t parts = std::clamp<std::int64_t>(ceil_div(elements, 4096), 1, 1024);
  auto kernel = std::make_shared<VulkanKernel>("dynamic_quantize");
  kernel->workspace = parts * 8;
  for (const char* stage : {"range", "scale", "apply"}) {
    Dispatch d;
    d.shader = stage[0] == 'r'   ? "dynamic_quantize.range"
               : stage[0] == 's' ? "dynamic_quantize.scale"
                                 : "dynamic_quantize.apply";
    d.push = {word(elements), word(parts)};
    d.operands = {Operand::input(0), Operand::workspace(), Operand::output(1), Operand::output(2),
                  Operand::output(0)};
    d.grid = stage[0] == 'r'   ? std::array<std::uint32_t, 3>{word(parts), 1, 1}
             : stage[0] == 's' ? std::array<std::uint32_t, 3>{1, 1, 1}
                               : grid_1d(target, ceil_div(elements, kThreads));
    d.barrier_before = stage[0] != 'r';
    d.estimate_us = stage[0] == 's' ? model_us(parts * 8, 0) : model_us(elements * 5, elements * 8);
    kernel->dispatches.push_back(std::move(d));
  }
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

KernelResult select_decode(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& x = node.inputs[0].type;
  if (!x.encoding.is_block()) return select_affine(target, node);
  if (node.outputs[0].type.dtype != DType::kF32) return refuse(node, "results other than float32");
  const std::string_view shader = block_shaders(x.encoding.format).decode;
  if (shader.empty()) {
    return refuse(node, "blocks of " + std::string(block_format_info(x.encoding.format).name));
  }
  const std::int64_t quads = x.shape.elements() / 4;
  auto kernel = std::make_shared<VulkanKernel>("decode");
  Dispatch d;
  d.shader = shader;
  d.push = {word(quads)};
  d.operands = {Operand::input(0), Operand::output(0)};
  d.grid = grid_1d(target, ceil_div(quads, kThreads));
  d.barrier_before = false;
  d.estimate_us = model_us(quads * 20, quads * 16);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  for (const OperandDesc* operand : {&node.inputs[0], &node.outputs[0]}) {
    if (operand_elements(*operand) > INT32_MAX ||
        operand_bytes(*operand) > target.binding_bytes_max) {
      return refuse(node, "an operand larger than a binding may be");
    }
  }
  if (node.op->is("Decode", "polaris")) return select_decode(target, node);
  if (!node.inputs[0].type.encoding.is_plain()) return refuse(node, "an encoded input");
  if (node.op->is("DynamicQuantizeLinear")) return select_dynamic(target, node);
  return select_linear(target, node, node.op->is("QuantizeLinear"));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  const auto add = [&](std::string_view shader, DType from, DType to) {
    for (std::uint32_t mode = 0; mode < 3; ++mode) {
      const std::uint32_t types = type_code(from) | type_code(to) << 16;
      all.push_back({std::string(shader) + " " + std::string(dtype_name(from)) + " " +
                         std::string(dtype_name(to)) + " mode" + std::to_string(mode),
                     shader,
                     {mode, 1, types},
                     4,
                     16,
                     0});
    }
  };
  for (const DType dtype : {DType::kI8, DType::kU8, DType::kI16, DType::kU16}) {
    add("quantize.to", DType::kF32, dtype);
    add("quantize.from", dtype, DType::kF32);
  }
  add("quantize.to", DType::kI32, DType::kI8);
  add("quantize.to", DType::kF16, DType::kI8);
  add("quantize.from", DType::kI32, DType::kF32);
  add("quantize.from", DType::kI8, DType::kF16);
  all.push_back({"dynamic_quantize.range", "dynamic_quantize.range", {}, 5, 8, 256});
  all.push_back({"dynamic_quantize.scale", "dynamic_quantize.scale", {}, 5, 8, 256});
  all.push_back({"dynamic_quantize.apply", "dynamic_quantize.apply", {}, 5, 8, 0});
  for (int format = 0; format < kBlockFormatCount; ++format) {
    const std::string_view shader = block_shaders(static_cast<BlockFormat>(format)).decode;
    if (!shader.empty()) all.push_back({std::string(shader), shader, {}, 2, 4, 0});
  }
  return all;
}

constexpr std::string_view kOps[] = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
                                     "polaris.Decode"};

}  // namespace

extern const KernelFamily family_quantize;
const KernelFamily family_quantize{{"quantize", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
