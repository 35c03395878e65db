#pragma once
#include "backend/vulkan/kernel.h"

namespace polaris::vulkan {

/// Adds a dispatch that copies `elements` plain floats of type `dtype` to float32, for kernels that
/// read an operand too often to convert it on each load.
void add_widen(VulkanKernel& kernel, const VulkanTarget& target, Operand from, Operand to,
               DType dtype, std::int64_t elements);

}  // namespace polaris::vulkan
