#include <algorithm>
#include <string>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/normalization.h"

/// Softmax, LogSoftmax and Hardmax along any axis.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

constexpr std::string_view kOps[] = {"Softmax", "LogSoftmax", "Hardmax"};

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& x = node.inputs[0].type;
  const Result<std::uint32_t> type = float_code(node, node.inputs[0]);
  if (!type) return type.error();
  if (operand_bytes(node.inputs[0]) > std::min<std::int64_t>(target.binding_bytes_max, INT32_MAX)) {
    return refuse(node, "an operand larger than a binding may be");
  }
  const auto axis = normalize_axis(node.attributes<SoftmaxAttrs>().axis, x.shape.rank());
  if (!axis) return refuse(node, "an axis outside the rank");
  const std::int64_t size = x.shape[*axis];
  const std::int64_t inner = x.shape.elements_between(*axis + 1, x.shape.rank());
  const std::int64_t lines = x.shape.elements_between(0, *axis) * inner;
  const auto mode =
      static_cast<std::uint32_t>(std::find(std::begin(kOps), std::end(kOps), node.op->name) - kOps);
  if (mode == 2 && size > (1 << 24)) return refuse(node, "an axis longer than 2^24");
  const bool columns = inner > 1;
  const std::uint32_t threads = columns || size <= 64 ? 64u : 256u;
  auto kernel = std::make_shared<VulkanKernel>(columns ? "softmax_columns" : "softmax_rows");
  Dispatch d;
  d.shader = "softmax";
  d.constants = {threads, mode, columns ? 1u : 0u, *type};
  d.push = {word(lines), word(size), word(inner)};
  d.operands = {Operand::input(0), Operand::output(0)};
  d.grid = grid_1d(target, columns ? ceil_div(lines, threads) : lines);
  d.barrier_before = false;
  d.loop_rounds = 3 * (columns ? size : ceil_div(size, threads));
  d.estimate_us = model_us(lines * size * 12, lines * size * 12);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (std::uint32_t mode = 0; mode < 3; ++mode) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
      const std::string name = "softmax " + std::string(kOps[mode]) + variant_suffix(dtype);
      const std::uint32_t type = type_code(dtype);
      all.push_back({name + " rows64", "softmax", {64, mode, 0, type}, 2, 12, 64});
      all.push_back({name + " rows256", "softmax", {256, mode, 0, type}, 2, 12, 256});
      all.push_back({name + " columns", "softmax", {64, mode, 1, type}, 2, 12, 64});
    }
  }
  return all;
}

}  // namespace

extern const KernelFamily family_softmax;
const KernelFamily family_softmax{{"softmax", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
