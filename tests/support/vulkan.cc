#include "support/vulkan.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "support/skip.h"

namespace polaris::test {
namespace {

/// Says that the device is missing, as loudly as somebody asked for it.
void miss(const std::string& what) {
  if (std::getenv("POLARIS_TEST_VULKAN") != nullptr || backend_named("vulkan")) {
    FAIL_CHECK("the Vulkan device that the environment names is missing: " << what);
  } else {
    skip("no Vulkan device here");
  }
}

}  // namespace

bool backend_named(const std::string& backend) {
  const char* list = std::getenv("POLARIS_DEVICES");
  return list != nullptr &&
         ("," + std::string(list) + ",").find("," + backend + ",") != std::string::npos;
}

std::string test_vulkan_id() {
  const auto devices = list_vulkan_devices();
  if (!devices) {
    FAIL_CHECK("vulkan devices: " << devices.error().message());
    return "";
  }
  // Kernels are proven on one card of several by naming it.
  if (const char* name = std::getenv("POLARIS_TEST_VULKAN")) return "vulkan:" + std::string(name);
  if (!devices->empty()) return devices->front().id;
  miss("there is none");
  return "";
}

std::unique_ptr<Device> make_test_vulkan(VulkanOptions options) {
  if (options.selector.empty()) options.selector = test_vulkan_id();
  if (options.selector.empty()) return nullptr;
  if (!options.pipeline_cache_path) options.pipeline_cache_path = "";
  Result<std::unique_ptr<Device>> device = make_vulkan_device(options);
  if (device) return device.take();
  if (device.error().code() == ErrorCode::kNotFound) {
    miss(device.error().message());
  } else {
    FAIL_CHECK("vulkan device: " << device.error().message());
  }
  return nullptr;
}

}  // namespace polaris::test
