#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backend/vulkan/parts/kernel_util.h"
#include "base/checked.h"

/// NonZero: count, prefix sums, write. The output's real dims go to its dims operand.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"NonZero"};
constexpr std::string_view kShader = "non_zero";
constexpr std::int64_t kGroupElements = 1024;

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& in = node.inputs[0].type;
  if (!in.encoding.is_plain()) return refuse(node, "encoded input");
  if (node.outputs.size() < 2) return refuse(node, "no operand for the result's dims");
  const std::int64_t count = operand_elements(node.inputs[0]);
  if (count >= (std::int64_t{1} << 30)) return refuse(node, "more than 2^30 elements");
  if (count * 8 * std::max(in.shape.rank(), 1) > target.binding_bytes_max) {
    return refuse(node, "a result that may exceed the binding limit");
  }
  const std::int64_t groups = ceil_div(count, kGroupElements);
  auto kernel = std::make_shared<VulkanKernel>("non_zero");
  std::vector<std::uint32_t> words;
  for (int d = in.shape.rank(); d-- > 0;) {
    const auto size = static_cast<std::uint32_t>(in.shape[d]);
    const FastDivisor divisor = fast_divisor(size);
    words.insert(words.end(), {divisor.multiplier, divisor.shift, size});
  }
  const std::int64_t table = append_params(*kernel, words, target.alignment_bytes);
  kernel->workspace = round_up((groups + 1) * 4, 64);
  for (std::uint32_t stage = 0; stage < 3; ++stage) {
    Dispatch dispatch;
    dispatch.shader = kShader;
    dispatch.constants = {stage, static_cast<std::uint32_t>(width_of(in.dtype).raw()),
                          is_float(in.dtype) ? 1u : 0u,
                          static_cast<std::uint32_t>(in.shape.rank())};
    dispatch.push = {static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(groups)};
    dispatch.operands = {Operand::input(0), Operand::workspace(), Operand::output(0),
                         Operand::output(1), Operand::params(table)};
    dispatch.grid = stage == 1 ? std::array<std::uint32_t, 3>{1, 1, 1} : grid_1d(target, groups);
    dispatch.estimate_us = model_us(width_of(in.dtype).of(count), 0);
    kernel->dispatches.push_back(std::move(dispatch));
  }
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const std::uint32_t bytes : {1u, 2u, 4u, 8u}) {
    for (std::uint32_t stage = 0; stage < 3; ++stage) {
      all.push_back({"non_zero b" + std::to_string(bytes) + " stage " + std::to_string(stage),
                     kShader,
                     {stage, bytes, 1, 3},
                     5,
                     8,
                     0});
    }
  }
  return all;
}

}  // namespace

extern const KernelFamily family_non_zero;
const KernelFamily family_non_zero{{"non_zero", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
