#include <string>
#include <utility>
#include <vector>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/reduce.h"

/// CumSum: one thread a line, so that sums have one order.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"CumSum"};

Result<std::string_view> shader_of(const VulkanTarget& target, const NodeDesc& node) {
  const DType dtype = node.inputs[0].type.dtype;
  if (is_float(dtype)) {
    const Result<std::uint32_t> code = float_code(node, node.inputs[0]);
    if (!code) return code.error();
    return std::string_view("cum_sum.float");
  }
  if (dtype_info(dtype).bits < 64) return std::string_view("cum_sum.int");
  if (!target.int64) return refuse(node, "64-bit integers, which this device lacks");
  return std::string_view("cum_sum.int64");
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const Shape& shape = node.inputs[0].type.shape;
  const Result<std::string_view> shader = shader_of(target, node);
  if (!shader) return shader.error();
  const auto known = known_ints(node, 1);
  if (!known || known->size() != 1) return refuse(node, "axis is not known");
  const auto axis = normalize_axis(known->front(), shape.rank());
  if (!axis) return refuse(node, "axis names no axis");
  const std::int64_t count = operand_elements(node.inputs[0]);
  if (count >= (std::int64_t{1} << 30)) return refuse(node, "more than 2^30 elements");
  const std::int64_t inner = shape.elements_between(*axis + 1, shape.rank());
  const std::int64_t lines = shape.elements_between(0, *axis) * inner;
  auto kernel = std::make_shared<VulkanKernel>(std::string(*shader));
  const FastDivisor by_inner = fast_divisor(static_cast<std::uint32_t>(inner));
  const auto& attrs = node.attributes<CumSumAttrs>();
  Dispatch dispatch;
  dispatch.shader = *shader;
  dispatch.constants = {attrs.exclusive ? 1u : 0u, attrs.reverse ? 1u : 0u,
                        type_code(node.inputs[0].type.dtype)};
  dispatch.push = {static_cast<std::uint32_t>(lines), static_cast<std::uint32_t>(shape[*axis]),
                   by_inner.multiplier, by_inner.shift, static_cast<std::uint32_t>(inner)};
  dispatch.operands = {Operand::input(0), Operand::output(0)};
  dispatch.grid = grid_1d(target, count == 0 ? 0 : ceil_div(lines, 64));
  dispatch.loop_rounds = shape[*axis];
  dispatch.estimate_us = model_us(2 * operand_bytes(node.inputs[0]), shape[*axis] * 400);
  kernel->dispatches.push_back(std::move(dispatch));
  kernel->absorbed = 1ull << 1;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  const auto add = [&](std::string_view shader, DType dtype) {
    const std::string name = "cum_sum " + std::string(dtype_name(dtype));
    all.push_back({name, shader, {0, 0, type_code(dtype)}, 2, 20, 1});
  };
  add("cum_sum.float", DType::kF32);
  add("cum_sum.float", DType::kF16);
  add("cum_sum.int", DType::kI32);
  add("cum_sum.int64", DType::kI64);
  return all;
}

}  // namespace

extern const KernelFamily family_cum_sum;
const KernelFamily family_cum_sum{{"cum_sum", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
