#pragma once
#include <memory>

#include "backend/vulkan/kernel.h"

namespace polaris::vulkan {

/// The kernel that `tuning`, which may be null, found to be the fastest, else that with the lowest
/// estimate, of those that a device as `target` describes it may run for the node. Errors:
/// unsupported, with each family's reason.
Result<std::shared_ptr<const Kernel>> select_kernel(const VulkanTarget& target,
                                                    const NodeDesc& node,
                                                    const Tuning* tuning = nullptr);

}  // namespace polaris::vulkan
