#pragma once
#include <memory>

#include "backend/vulkan/kernel.h"

namespace polaris::vulkan {

/// The kernel with the lowest estimate that a device as `target` describes it may run for the node.
/// Errors: unsupported, with each family's reason.
Result<std::shared_ptr<const Kernel>> select_kernel(const VulkanTarget& target,
                                                    const NodeDesc& node);

}  // namespace polaris::vulkan
