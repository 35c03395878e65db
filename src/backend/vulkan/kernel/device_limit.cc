#include <string>
#include <utility>
#include <vector>

#include "backend/limit_ops.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "base/checked.h"

/// limit.Fill, limit.Copy, limit.Read and limit.Fma: what the card does at best.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"limit.Fill", "limit.Copy", "limit.Read", "limit.Fma"};
constexpr std::int64_t kGroup = 256;
constexpr std::int64_t kRoundsMax = 32768;  // software rasterizers end a loop of 65,536 rounds

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  Dispatch dispatch;
  std::int64_t threads = 0;
  if (node.op == &op_limit_fma || node.op == &op_limit_fill) {
    const auto& attrs = node.attributes<LimitAttrs>();
    const bool fma = node.op == &op_limit_fma;
    if (fma && (attrs.rounds % 4 != 0 || attrs.rounds > kRoundsMax)) {
      return refuse(node, "rounds that are no multiple of 4 up to 32768");
    }
    dispatch.shader = fma ? "limit_fma" : "limit_stream.fill";
    threads = fma ? attrs.count : attrs.count / 4;
    dispatch.push = {static_cast<std::uint32_t>(threads)};
    if (fma) {
      dispatch.push.insert(dispatch.push.end(),
                           {static_cast<std::uint32_t>(attrs.rounds), float_bits(kLimitFactor),
                            float_bits(kLimitAddend)});
    }
    dispatch.operands = {Operand::output(0)};
  } else {
    const bool copy = node.op == &op_limit_copy;
    const std::int64_t count = operand_elements(node.inputs[0]);
    dispatch.shader = copy ? "limit_stream.copy" : "limit_stream.read";
    threads = count / (copy ? 4 : kLimitReadPart);
    dispatch.push = {static_cast<std::uint32_t>(threads)};
    dispatch.operands = {Operand::input(0), Operand::output(0)};
  }
  auto kernel = std::make_shared<VulkanKernel>(std::string(dispatch.shader));
  dispatch.grid = grid_1d(target, ceil_div(threads, kGroup));
  kernel->dispatches.push_back(std::move(dispatch));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  return {{"limit fma", "limit_fma", {}, 1, 16, 32},
          {"limit fill", "limit_stream.fill", {}, 1, 4, 0},
          {"limit copy", "limit_stream.copy", {}, 2, 4, 0},
          {"limit read", "limit_stream.read", {}, 2, 4, 0}};
}

}  // namespace

extern const KernelFamily family_device_limit;
const KernelFamily family_device_limit{{"device_limit", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
