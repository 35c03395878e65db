#include <algorithm>
#include <string>

#include "backend/vulkan/conv_geometry.h"
#include "base/checked.h"

/// MaxPool (values only), AveragePool, GlobalMaxPool and GlobalAveragePool.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// A global pool is a window as large as the plane, whatever its rank.
Result<Window> window_of(const NodeDesc& node, bool global) {
  if (!global) return read_window(node, attr_ints(node, "kernel_shape"));
  const Shape& x = node.inputs[0].type.shape;
  if (x.rank() < 3) return refuse(node, "no spatial dims");
  Window w;
  w.batch = x[0];
  w.in_channels = w.out_channels = x[1];
  w.in_w = w.kernel[1] = x.elements_between(2, x.rank());
  return w;
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const bool average = node.op->name.ends_with("AveragePool");
  const bool global = node.op->name.starts_with("Global");
  if (node.inputs[0].type.dtype != DType::kF32) return refuse(node, "types other than float32");
  if (node.outputs.size() > 1 && node.outputs[1].present) return refuse(node, "the indices");
  Result<Window> window = window_of(node, global);
  if (!window) return window.error();
  const Window& w = *window;
  const std::int64_t outputs = w.batch * w.out_channels * w.out_h * w.out_w;
  if (outputs == 0 || w.in_h * w.in_w == 0) return refuse(node, "an empty input");
  for (const OperandDesc* operand : {&node.inputs[0], &node.outputs[0]}) {
    if (operand_bytes(*operand) > std::min<std::int64_t>(target.binding_bytes_max, INT32_MAX)) {
      return refuse(node, "an operand larger than a binding may be");
    }
  }
  const bool count_pad = attr_int(node, "count_include_pad", 0) != 0;
  auto kernel = std::make_shared<VulkanKernel>(average ? "pool_average" : "pool_max");
  Dispatch d;
  d.shader = "pool";
  d.constants = {average ? 1u : 0u};
  d.push = {word(outputs),
            word(w.in_h),
            word(w.in_w),
            word(w.out_h),
            word(w.out_w),
            word(w.kernel[0]),
            word(w.kernel[1]),
            word(w.stride[0]),
            word(w.stride[1]),
            word(w.pad[0]),
            word(w.pad[1]),
            word(w.dilation[0]),
            word(w.dilation[1]),
            word(w.in_h + w.pad_end[0]),
            word(w.in_w + w.pad_end[1]),
            count_pad ? 1u : 0u};
  d.operands = {Operand::input(0), Operand::output(0)};
  d.grid = grid_1d(target, ceil_div(outputs, 64));
  d.barrier_before = false;
  d.estimate_us = model_us(operand_bytes(node.inputs[0]) + outputs * 4,
                           outputs * w.kernel[0] * w.kernel[1] * 4);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<const Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  return {{"pool max", "pool", {0}, 2, 64, 64}, {"pool average", "pool", {1}, 2, 64, 64}};
}

constexpr std::string_view kOps[] = {"MaxPool", "AveragePool", "GlobalMaxPool",
                                     "GlobalAveragePool"};

}  // namespace

extern const KernelFamily family_pool;
const KernelFamily family_pool = {"pool", kOps, select, variants};

}  // namespace polaris::vulkan
