#pragma once
#include <memory>

#include "backend/vulkan/vulkan_device.h"

namespace polaris::test {

/// The software rasterizer (lavapipe) with these options, without a cache file; null with a message
/// where there is none, or where it cannot be made.
std::unique_ptr<Device> make_test_vulkan(VulkanOptions options = {});

}  // namespace polaris::test
