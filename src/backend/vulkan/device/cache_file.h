#pragma once
#include <string>
#include <string_view>

#include "backend/vulkan/device/physical_device.h"

namespace polaris::vulkan {

/// The driver's pipeline cache in a file: a header that names device, driver and shaders and holds
/// a hash, then the bytes. A file that is missing, foreign, cut or corrupt counts as empty.
std::string load_cache_file(const std::string& path, const PhysicalDevice& physical);
/// Failures are of no consequence: the next run compiles again.
void save_cache_file(const std::string& path, const PhysicalDevice& physical,
                     std::string_view payload);

}  // namespace polaris::vulkan
