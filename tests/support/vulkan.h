#pragma once
#include <memory>
#include <string>

#include "backend/vulkan/vulkan_device.h"

namespace polaris::test {

/// The device that all Vulkan tests run on, as `--device` takes it: what POLARIS_TEST_VULKAN names
/// ("0", "llvmpipe", part of a card's name), else the first GPU, else the software rasterizer.
/// Empty where there is none: that is a failure where the environment names the device or (in
/// POLARIS_DEVICES) the backend, else the test case counts as skipped.
std::string test_vulkan_id();

/// That device with these options, without a cache file. Null as test_vulkan_id() is empty, or with
/// a failure where it cannot be made.
std::unique_ptr<Device> make_test_vulkan(VulkanOptions options = {});

/// Whether POLARIS_DEVICES, a comma-separated list of backends, names this one; without it all are
/// wanted.
bool backend_named(const std::string& backend);

}  // namespace polaris::test
