#include <string>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/reduce.h"

/// TopK along any axis, sorted.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"TopK"};
constexpr std::int64_t kSpanMax = 1 << 14;

Result<std::string_view> shader_of(const VulkanTarget& target, const NodeDesc& node) {
  const DType dtype = node.inputs[0].type.dtype;
  if (is_float(dtype)) {
    const Result<std::uint32_t> code = float_code(node, node.inputs[0]);
    if (!code) return code.error();
    return std::string_view("top_k.float");
  }
  if (dtype_info(dtype).bits < 64) return std::string_view("top_k.int");
  if (!target.int64) return refuse(node, "64-bit integers, which this device lacks");
  return std::string_view("top_k.int64");
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const Shape& shape = node.inputs[0].type.shape;
  const Result<std::string_view> shader = shader_of(target, node);
  if (!shader) return shader.error();
  const auto& attrs = node.attributes<TopKAttrs>();
  const auto axis = normalize_axis(attrs.axis, shape.rank());
  if (!axis) return refuse(node, "axis names no axis");
  const std::int64_t count = operand_elements(node.inputs[0]);
  if (count >= (std::int64_t{1} << 30)) return refuse(node, "more than 2^30 elements");
  if (shape[*axis] > kSpanMax) {
    return refuse(node, "an axis longer than 2^14, whose square it would cost");
  }
  auto kernel = std::make_shared<VulkanKernel>(std::string(*shader));
  const auto word = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  Dispatch d;
  d.shader = *shader;
  d.constants = {type_code(node.inputs[0].type.dtype), attrs.largest ? 1u : 0u};
  d.push = {word(count), word(shape[*axis]), word(shape.elements_between(*axis + 1, shape.rank())),
            word(node.outputs[0].type.shape[*axis])};
  d.operands = {Operand::input(0), Operand::output(0), Operand::output(1)};
  d.grid = grid_1d(target, ceil_div(count, 64));
  d.barrier_before = false;
  d.loop_rounds = shape[*axis];
  d.estimate_us = model_us(2 * operand_bytes(node.inputs[0]), count * shape[*axis] * 4);
  kernel->dispatches.push_back(std::move(d));
  kernel->absorbed = 1u << 1;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  const auto add = [&](std::string_view shader, DType dtype) {
    all.push_back(
        {"top_k " + std::string(dtype_name(dtype)), shader, {type_code(dtype), 1}, 3, 16, 1});
  };
  add("top_k.float", DType::kF32);
  add("top_k.float", DType::kF16);
  add("top_k.int", DType::kI32);
  add("top_k.int64", DType::kI64);
  return all;
}

}  // namespace

extern const KernelFamily family_top_k;
const KernelFamily family_top_k{{"top_k", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
