#include "backend/vulkan/parts/widen.h"

#include <utility>

#include "backend/opcode.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"

namespace polaris::vulkan {

void add_widen(VulkanKernel& kernel, const VulkanTarget& target, Operand from, Operand to,
               DType dtype, std::int64_t elements) {
  // One operand of the elementwise shader; the others alias it and are not read.
  const std::uint32_t type = type_code(dtype);
  Dispatch d;
  d.shader = "elementwise.float";
  d.constants = {kOpIdentity, type, type, type, kTypeF32, kModeSame, kModeScalar, kModeScalar, 0};
  d.push = {static_cast<std::uint32_t>(elements), 0, 0, 0, 0, 0, 0};
  d.operands = {from, from, from, to, Operand::params()};
  d.grid = grid_1d(target, ceil_div(elements, 1024));
  d.barrier_before = false;
  d.estimate_us = model_us(width_of(dtype).of(elements) + 4 * elements, 0);
  kernel.dispatches.push_back(std::move(d));
}

}  // namespace polaris::vulkan
