#pragma once
#include <string>
#include <vector>

#include "backend/vulkan/device/api.h"
#include "backend/vulkan/kernel.h"
#include "backend/vulkan/vulkan_device.h"

namespace polaris::vulkan {

/// What one physical device is and has, after the options' pretended limits.
struct PhysicalDevice {
  VkPhysicalDevice handle = VK_NULL_HANDLE;
  VkPhysicalDeviceMemoryProperties memory = {};
  std::uint32_t queue_family = 0;
  std::uint32_t copy_family = 0;  // of uploads and downloads; may be the same
  std::uint32_t copy_queue = 0;   // index in its family
  std::uint32_t timestamp_bits = 0;
  float timestamp_period_ns = 1.0f;
  std::uint32_t device_heap = 0;   // the heap of device-local memory
  std::int64_t share_bytes = 0;    // all that this process may ever use of it
  std::int64_t staging_bytes = 0;  // of copies in one direction
  std::uint32_t allocation_count_max = 0;
  std::uint32_t vendor_id = 0;
  std::uint32_t device_id = 0;
  std::uint32_t driver_version = 0;
  std::uint8_t uuid[VK_UUID_SIZE] = {};
  bool usable = false;  // has all that we need; `missing` says what not
  std::string missing;
  bool has_integer_dot_extension = false;
  bool has_budget_extension = false;
  // Whether a kernel that is longer than a unit may be split along its grid.
  bool splits_kernels = true;
  DeviceInfo info;
  VulkanTarget target;
};

/// All devices of an instance, GPUs first (ids "vulkan:0" ...), then software rasterizers (their id
/// holds their name: "vulkan:llvmpipe"). Options give the pretended limits.
Result<std::vector<PhysicalDevice>> enumerate_devices(const Instance& instance,
                                                      const VulkanOptions& options);
/// The one that `selector` names. Errors: not_found, naming what there is.
Result<PhysicalDevice> select_device(std::vector<PhysicalDevice> devices,
                                     const std::string& selector);

}  // namespace polaris::vulkan
