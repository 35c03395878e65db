#include "backend/vulkan/device/physical_device.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "backend/vulkan/shader_blobs.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
// Old drivers fail or corrupt above this, whatever they report.
constexpr std::int64_t kAllocationCap = std::int64_t{2} << 30;
constexpr std::int64_t kDesktopShare = 512 * kMiB;
constexpr std::int64_t kAlignment = 64;
// For one direction; a small card's memory is for others.
constexpr std::int64_t kStagingBytes = 8 * kMiB;
constexpr std::int64_t kStagingPart = 32;
constexpr std::int64_t kStagingLeast = kMiB / 16;
constexpr std::uint32_t kGroupThreads = 256;
constexpr std::uint32_t kBindings = 12;
// LP_MAX_TGSI_LOOP_ITERATIONS of Mesa's gallivm is 65535 for all loops of an invocation; some are
// left for those whose rounds no kernel counts.
constexpr std::int64_t kLavapipeLoopRounds = 65000;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_software(const VkPhysicalDeviceProperties& properties) {
  if (properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU) return true;
  const std::string name = lower(properties.deviceName);
  for (const std::string_view known : {"llvmpipe", "lavapipe", "softpipe", "swiftshader"}) {
    if (name.find(known) != std::string::npos) return true;
  }
  return false;
}

/// Everything that the driver says, in one piece.
struct Answers {
  VkPhysicalDeviceProperties2 properties{};
  VkPhysicalDeviceVulkan11Properties properties11{};
  VkPhysicalDeviceVulkan12Properties properties12{};
  VkPhysicalDeviceFeatures2 features{};
  VkPhysicalDeviceVulkan11Features features11{};
  VkPhysicalDeviceVulkan12Features features12{};
  VkPhysicalDeviceShaderIntegerDotProductFeaturesKHR dot{};
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
  VkPhysicalDeviceMemoryProperties2 memory{};
  bool has_budget = false;
  bool has_dot = false;
};

bool has_extension(const InstanceApi& api, VkPhysicalDevice handle, std::string_view name) {
  std::uint32_t count = 0;
  if (api.EnumerateDeviceExtensionProperties(handle, nullptr, &count, nullptr) != VK_SUCCESS) {
    return false;
  }
  std::vector<VkExtensionProperties> all(count);
  if (api.EnumerateDeviceExtensionProperties(handle, nullptr, &count, all.data()) < 0) return false;
  return std::any_of(all.begin(), all.end(), [&](const VkExtensionProperties& extension) {
    return name == extension.extensionName;
  });
}

void ask(const InstanceApi& api, VkPhysicalDevice handle, Answers& a) {
  a.properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  a.properties11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES;
  a.properties12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES;
  a.properties.pNext = &a.properties11;
  a.properties11.pNext = &a.properties12;
  api.GetPhysicalDeviceProperties2(handle, &a.properties);
  a.has_dot = has_extension(api, handle, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
  a.has_budget = has_extension(api, handle, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  a.features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  a.features11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
  a.features12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  a.dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES_KHR;
  a.features.pNext = &a.features11;
  a.features11.pNext = &a.features12;
  if (a.has_dot) a.features12.pNext = &a.dot;
  api.GetPhysicalDeviceFeatures2(handle, &a.features);
  a.memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
  a.budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
  if (a.has_budget) a.memory.pNext = &a.budget;
  api.GetPhysicalDeviceMemoryProperties2(handle, &a.memory);
}

/// The first thing we cannot do without that the device lacks, or nothing.
std::string what_is_missing(const Answers& a) {
  const VkPhysicalDeviceLimits& limits = a.properties.properties.limits;
  if (a.properties.properties.apiVersion < VK_API_VERSION_1_2) return "Vulkan 1.2";
  if (a.features11.storageBuffer16BitAccess == VK_FALSE) return "16-bit storage";
  if (a.features12.storageBuffer8BitAccess == VK_FALSE) return "8-bit storage";
  if (a.features12.timelineSemaphore == VK_FALSE) return "timeline semaphores";
  if (limits.maxComputeWorkGroupInvocations < kGroupThreads ||
      limits.maxComputeWorkGroupSize[0] < kGroupThreads) {
    return "workgroups of 256 threads";
  }
  if (limits.maxPerStageDescriptorStorageBuffers < kBindings) return "12 storage buffers";
  return "";
}

void fill_target(const Answers& a, const VulkanOptions& options, VulkanTarget& target) {
  const VkPhysicalDeviceLimits& limits = a.properties.properties.limits;
  const VulkanHide& hide = options.hide;
  target.int64 = a.features.features.shaderInt64 == VK_TRUE && !hide.int64;
  target.int16 = a.features.features.shaderInt16 == VK_TRUE && !hide.int16;
  target.int8 = a.features12.shaderInt8 == VK_TRUE && !hide.int8;
  target.float16 = a.features12.shaderFloat16 == VK_TRUE && !hide.float16;
  target.integer_dot = a.has_dot && a.dot.shaderIntegerDotProduct == VK_TRUE && !hide.integer_dot;
  const bool compute = (a.properties11.subgroupSupportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
  const VkSubgroupFeatureFlags ops =
      compute && !hide.subgroup ? a.properties11.subgroupSupportedOperations : 0u;
  target.subgroup_arithmetic = (ops & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT) != 0;
  target.subgroup_shuffle = (ops & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) != 0;
  target.subgroup_size = a.properties11.subgroupSize;
  target.group_count_max =
      std::min(limits.maxComputeWorkGroupCount[0], limits.maxComputeWorkGroupCount[1]);
  target.group_threads_max = limits.maxComputeWorkGroupInvocations;
  target.shared_bytes_max = limits.maxComputeSharedMemorySize;
  if (a.properties12.driverID == VK_DRIVER_ID_MESA_LLVMPIPE) {
    target.loop_rounds_max = kLavapipeLoopRounds;
  }
}

void fill_memory(const Answers& a, const VulkanOptions& options, PhysicalDevice& device) {
  const VkPhysicalDeviceMemoryProperties& memory = a.memory.memoryProperties;
  device.memory = memory;
  std::uint64_t largest = 0;
  for (std::uint32_t i = 0; i < memory.memoryHeapCount; ++i) {
    const VkMemoryHeap& heap = memory.memoryHeaps[i];
    if ((heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0 && heap.size > largest) {
      largest = heap.size;
      device.device_heap = i;
    }
  }
  DeviceInfo& info = device.info;
  const auto heap_bytes = static_cast<std::int64_t>(std::min<std::uint64_t>(largest, INT64_MAX));
  const bool pretend = options.memory_bytes > 0 && options.memory_bytes < heap_bytes;
  info.memory_bytes = pretend ? options.memory_bytes : heap_bytes;
  // The desktop's share is the card's; there is no desktop on a pretended or software device.
  const std::int64_t tenth = info.memory_bytes / 10;
  std::int64_t keep = options.keep_bytes.value_or(
      pretend || info.software ? tenth : std::max(kDesktopShare, tenth));
  if (!options.keep_bytes && options.share) {
    keep =
        static_cast<std::int64_t>(static_cast<double>(info.memory_bytes) * (1.0 - *options.share));
  }
  device.share_bytes =
      std::max<std::int64_t>(info.memory_bytes - std::max<std::int64_t>(keep, 0), 0);
  info.budget_bytes = device.share_bytes;
  if (a.has_budget) {
    const std::uint64_t left = a.budget.heapBudget[device.device_heap];
    info.budget_bytes = std::min(
        info.budget_bytes, static_cast<std::int64_t>(std::min<std::uint64_t>(left, INT64_MAX)));
  }
  const auto driver_cap = static_cast<std::int64_t>(
      std::min<std::uint64_t>(a.properties11.maxMemoryAllocationSize, INT64_MAX));
  info.allocation_bytes_max = std::min({driver_cap, kAllocationCap, info.memory_bytes});
  if (options.allocation_bytes_max > 0) {
    info.allocation_bytes_max = std::min(info.allocation_bytes_max, options.allocation_bytes_max);
  }
  const std::int64_t part = std::max(device.share_bytes / kStagingPart, kStagingLeast);
  device.staging_bytes =
      std::min({kStagingBytes, part, info.allocation_bytes_max}) / kAlignment * kAlignment;
  info.own_bytes = 2 * device.staging_bytes;
  const VkPhysicalDeviceLimits& limits = a.properties.properties.limits;
  std::int64_t binding = limits.maxStorageBufferRange;
  if (options.binding_bytes_max > 0) binding = std::min(binding, options.binding_bytes_max);
  info.binding_bytes_max = std::min(binding, info.allocation_bytes_max);
  info.alignment_bytes =
      std::max(kAlignment, static_cast<std::int64_t>(limits.minStorageBufferOffsetAlignment));
  // Split operands start at aligned offsets.
  info.binding_bytes_max -= info.binding_bytes_max % info.alignment_bytes;
  device.target.binding_bytes_max = info.binding_bytes_max;
  device.target.alignment_bytes = info.alignment_bytes;
}

std::string mib(std::int64_t bytes) { return std::to_string(bytes / kMiB) + " MiB"; }

void fill_words(const PhysicalDevice& device, DeviceInfo& info) {
  const VulkanTarget& t = device.target;
  const auto say = [&](bool has, std::string_view feature, std::string_view lack) {
    if (has) {
      info.features.emplace_back(feature);
    } else {
      info.limits.emplace_back(lack);
    }
  };
  info.features.emplace_back("storage8");
  info.features.emplace_back("storage16");
  say(t.int64, "int64", "no 64-bit integer arithmetic: such nodes run elsewhere");
  say(t.int16, "int16", "no 16-bit integer arithmetic");
  say(t.int8, "int8", "no 8-bit integer arithmetic");
  say(t.float16, "float16", "no fp16 arithmetic");
  say(t.integer_dot, "integer_dot", "no integer dot product");
  say(t.subgroup_arithmetic, "subgroup" + std::to_string(t.subgroup_size),
      "no subgroup arithmetic");
  info.limits.push_back("one buffer at most " + mib(info.allocation_bytes_max));
  info.limits.push_back("one operand at most " + mib(info.binding_bytes_max));
  info.limits.push_back("memory used at most " + mib(info.budget_bytes) + " of " +
                        mib(info.memory_bytes));
  if (!device.splits_kernels) info.limits.emplace_back(kWholeKernels);
  if (info.software) info.limits.emplace_back("a software rasterizer: runs on the processor");
  if (!device.usable) info.limits.push_back("cannot be used: it lacks " + device.missing);
}

/// Copies get a family that does nothing else (SDMA on AMD), else a second queue of the kernels'
/// family, else the kernels' queue.
void find_copy_queue(std::span<const VkQueueFamilyProperties> families, PhysicalDevice& device) {
  constexpr VkQueueFlags kCopies = VK_QUEUE_TRANSFER_BIT | VK_QUEUE_SPARSE_BINDING_BIT;
  device.copy_family = device.queue_family;
  device.copy_queue = families[device.queue_family].queueCount > 1 ? 1 : 0;
  for (std::uint32_t i = 0; i < families.size(); ++i) {
    const VkQueueFlags flags = families[i].queueFlags;
    const bool copies = (flags & VK_QUEUE_TRANSFER_BIT) != 0 && (flags & ~kCopies) == 0;
    if (!copies || families[i].queueCount == 0) continue;
    device.copy_family = i;
    device.copy_queue = 0;
    return;
  }
}

/// A queue family that computes; one without graphics where there is such, so that the desktop and
/// we do not wait for each other.
bool find_queue_family(const InstanceApi& api, PhysicalDevice& device) {
  std::uint32_t count = 0;
  api.GetPhysicalDeviceQueueFamilyProperties(device.handle, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  api.GetPhysicalDeviceQueueFamilyProperties(device.handle, &count, families.data());
  std::optional<std::uint32_t> best;
  for (std::uint32_t i = 0; i < count; ++i) {
    if ((families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0 || families[i].queueCount == 0)
      continue;
    const bool dedicated = (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT) == 0;
    if (!best || dedicated) best = i;
    if (dedicated) break;
  }
  if (!best) return false;
  device.queue_family = *best;
  device.timestamp_bits = families[*best].timestampValidBits;
  find_copy_queue(families, device);
  return true;
}

PhysicalDevice describe(const InstanceApi& api, VkPhysicalDevice handle,
                        const VulkanOptions& options) {
  PhysicalDevice device;
  device.handle = handle;
  VkPhysicalDeviceProperties plain{};
  api.GetPhysicalDeviceProperties(handle, &plain);
  DeviceInfo& info = device.info;
  info.backend = "vulkan";
  info.name = plain.deviceName;
  info.software = is_software(plain);
  if (plain.apiVersion < VK_API_VERSION_1_2) {
    device.missing = "Vulkan 1.2";
    fill_words(device, info);
    return device;
  }
  Answers answers;
  ask(api, handle, answers);
  // Seen on an H100 (580.159.04): the driver ignores the base of vkCmdDispatchBase, so that every
  // part of a split kernel begins at workgroup 0.
  device.splits_kernels = answers.properties12.driverID != VK_DRIVER_ID_NVIDIA_PROPRIETARY;
  const VkPhysicalDeviceProperties& p = answers.properties.properties;
  info.driver =
      std::string(answers.properties12.driverName) + " " + answers.properties12.driverInfo;
  device.timestamp_period_ns = p.limits.timestampPeriod;
  device.allocation_count_max = p.limits.maxMemoryAllocationCount;
  device.vendor_id = p.vendorID;
  device.device_id = p.deviceID;
  device.driver_version = p.driverVersion;
  std::memcpy(device.uuid, p.pipelineCacheUUID, VK_UUID_SIZE);
  info.tuning_device =
      "vulkan " + std::to_string(p.vendorID) + ":" + std::to_string(p.deviceID) + " " + info.name;
  info.tuning_build = info.driver + " " + std::to_string(p.driverVersion) + ", shaders " +
                      std::to_string(shader_set_hash());
  fill_memory(answers, options, device);
  fill_target(answers, options, device.target);
  device.has_integer_dot_extension = answers.has_dot;
  device.has_budget_extension = answers.has_budget;
  device.missing = what_is_missing(answers);
  if (device.missing.empty() && !find_queue_family(api, device)) device.missing = "a compute queue";
  device.usable = device.missing.empty();
  fill_words(device, info);
  return device;
}

std::string software_id(const std::string& name) {
  return "vulkan:" + lower(name.substr(0, name.find_first_of(" (")));
}

}  // namespace

Result<std::vector<PhysicalDevice>> enumerate_devices(const Instance& instance,
                                                      const VulkanOptions& options) {
  const InstanceApi& api = instance.api();
  std::uint32_t count = 0;
  VkResult result = api.EnumeratePhysicalDevices(instance.handle(), &count, nullptr);
  std::vector<VkPhysicalDevice> handles(count);
  if (result == VK_SUCCESS && count > 0) {
    result = api.EnumeratePhysicalDevices(instance.handle(), &count, handles.data());
  }
  // A driver that finds no hardware reports this; there simply is no device then.
  if (result == VK_ERROR_INITIALIZATION_FAILED) return std::vector<PhysicalDevice>();
  if (result < 0) return vulkan_error("vkEnumeratePhysicalDevices", result);
  handles.resize(count);
  std::vector<PhysicalDevice> devices;
  for (VkPhysicalDevice handle : handles) devices.push_back(describe(api, handle, options));
  std::stable_partition(devices.begin(), devices.end(),
                        [](const PhysicalDevice& d) { return !d.info.software; });
  int number = 0;
  for (PhysicalDevice& device : devices) {
    device.info.id =
        device.info.software ? software_id(device.info.name) : "vulkan:" + std::to_string(number++);
  }
  return devices;
}

Result<PhysicalDevice> select_device(std::vector<PhysicalDevice> devices,
                                     const std::string& selector) {
  std::string_view wanted = selector;
  if (wanted.starts_with("vulkan")) wanted.remove_prefix(6);
  if (wanted.starts_with(":")) wanted.remove_prefix(1);
  std::size_t number = 0;
  const char* end = wanted.data() + wanted.size();
  const bool by_number = wanted.empty() || std::from_chars(wanted.data(), end, number).ptr == end;
  std::string there;
  for (PhysicalDevice& device : devices) {
    there += (there.empty() ? "" : ", ") + device.info.id + " (" + device.info.name + ")";
    const bool hit = by_number ? !device.info.software && number-- == 0
                               : lower(device.info.name).find(lower(wanted)) != std::string::npos;
    if (!hit) continue;
    if (!device.usable) {
      return Error::unsupported("[vulkan] " + device.info.name + " lacks " + device.missing);
    }
    return std::move(device);
  }
  const std::string asked = wanted.empty() ? "a GPU" : "'" + std::string(wanted) + "'";
  return Error::not_found("[vulkan] no such device, wanted " + asked + ", got " +
                          (there.empty() ? "none" : there) +
                          "; a software rasterizer must be named");
}

}  // namespace polaris::vulkan
