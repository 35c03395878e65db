#include "support/vulkan.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "support/skip.h"

namespace polaris::test {

std::unique_ptr<Device> make_test_vulkan(VulkanOptions options) {
  if (options.selector.empty()) {
    // Kernels are proven on a real GPU by naming it.
    const char* name = std::getenv("POLARIS_TEST_VULKAN");
    options.selector = name != nullptr ? name : "llvmpipe";
  }
  if (!options.pipeline_cache_path) options.pipeline_cache_path = "";
  Result<std::unique_ptr<Device>> device = make_vulkan_device(options);
  if (device) return device.take();
  if (device.error().code() == ErrorCode::kNotFound) {
    skip("no Vulkan software rasterizer here");
  } else {
    FAIL_CHECK("vulkan device: " << device.error().message());
  }
  return nullptr;
}

}  // namespace polaris::test
