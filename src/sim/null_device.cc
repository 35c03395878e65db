#include "sim/null_device.h"

#include <cstring>
#include <optional>

#include "base/os/dynamic_library.h"
#include "base/os/environment_setting.h"

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

namespace polaris::radv {
namespace {

constexpr std::size_t kSpirvHeaderWords = 5;
constexpr std::uint32_t kSpirvMagic = 0x07230203;

/// The loader's entry points, found by name: nothing links a Vulkan library.
struct Entry {
  std::shared_ptr<const DynamicLibrary> loader;
  PFN_vkGetInstanceProcAddr find = nullptr;
  VkInstance instance = VK_NULL_HANDLE;
  template <class F>
  F get(const char* name) const {
    return reinterpret_cast<F>(find(instance, name));
  }
};

struct Device {
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  std::string name;
  std::string mesa;
};

/// An instance of the driver, or nothing and why.
std::optional<Entry> open_instance(const std::string& icd, std::string& error) {
  Entry entry;
  error = "no instance from " + icd;
  auto loader = DynamicLibrary::open("libvulkan.so.1");
  if (!loader) return std::nullopt;
  entry.loader = std::make_shared<const DynamicLibrary>(loader.take());
  entry.find =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(entry.loader->symbol("vkGetInstanceProcAddr"));
  if (entry.find == nullptr) return std::nullopt;
  VkApplicationInfo app{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO};
  app.apiVersion = VK_API_VERSION_1_2;
  VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &app;
  const auto create = entry.get<PFN_vkCreateInstance>("vkCreateInstance");
  if (create(&info, nullptr, &entry.instance) != VK_SUCCESS) return std::nullopt;
  error.clear();
  return entry;
}

/// The driver's one instance, which stays: with the last one the loader closes the driver, and what
/// that keeps for the process is then lost without a name (docs/adr/0025).
std::optional<Entry> kept_instance(const std::string& icd, std::string& error) {
  struct Kept {
    std::string icd;
    Entry entry;
  };
  // tidy: allow globals (the driver's, for the life of the process; it holds no state of ours)
  static const Kept* kept = nullptr;
  if (kept != nullptr && kept->icd != icd) {
    error = "one process opens one driver, got " + icd + " after " + kept->icd;
    return std::nullopt;
  }
  if (kept == nullptr) {
    const std::optional<Entry> made = open_instance(icd, error);
    if (!made) return std::nullopt;
    kept = new Kept{icd, *made};
  }
  return kept->entry;
}

std::string open_device(const Entry& entry, Device& out) {
  std::uint32_t count = 1;
  entry.get<PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices")(entry.instance, &count,
                                                                          &out.physical);
  if (count == 0) return "the driver shows no device";
  VkPhysicalDeviceDriverProperties driver{.sType =
                                              VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  properties.pNext = &driver;
  entry.get<PFN_vkGetPhysicalDeviceProperties2>("vkGetPhysicalDeviceProperties2")(out.physical,
                                                                                  &properties);
  out.name = properties.properties.deviceName;
  out.mesa = driver.driverInfo;
  out.mesa = out.mesa.substr(out.mesa.find_first_of("0123456789"));
  out.mesa = out.mesa.substr(0, out.mesa.find(' '));
  if (out.name.find("POLARIS10") == std::string::npos) return "got device " + out.name;

  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable{
      .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR};
  VkPhysicalDeviceVulkan12Features v12{.sType =
                                           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
  VkPhysicalDeviceVulkan11Features v11{.sType =
                                           VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES};
  VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  v12.pNext = &executable;
  v11.pNext = &v12;
  features.pNext = &v11;
  entry.get<PFN_vkGetPhysicalDeviceFeatures2>("vkGetPhysicalDeviceFeatures2")(out.physical,
                                                                              &features);
  features.features.robustBufferAccess = VK_FALSE;  // it changes the code, and we do not ask for it
  const float priority = 1;
  VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  const char* extension = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
  VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
  info.pNext = &features;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = 1;
  info.ppEnabledExtensionNames = &extension;
  const auto create = entry.get<PFN_vkCreateDevice>("vkCreateDevice");
  if (create(out.physical, &info, nullptr, &out.device) != VK_SUCCESS)
    return "vkCreateDevice failed";
  return "";
}

/// What a pipeline is made from; all of it goes when the variant is done.
struct Parts {
  VkShaderModule module = VK_NULL_HANDLE;
  VkDescriptorSetLayout set = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;
};

void make_layout(const Entry& entry, VkDevice device, const Variant& variant, Parts& parts) {
  std::vector<VkDescriptorSetLayoutBinding> bindings;
  for (std::uint32_t i = 0; i < variant.bindings; ++i) {
    bindings.push_back(
        {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
  }
  VkDescriptorSetLayoutCreateInfo set_info{.sType =
                                               VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  set_info.bindingCount = variant.bindings;
  set_info.pBindings = bindings.data();
  entry.get<PFN_vkCreateDescriptorSetLayout>("vkCreateDescriptorSetLayout")(device, &set_info,
                                                                            nullptr, &parts.set);
  const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, variant.push_constant_bytes};
  VkPipelineLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  info.setLayoutCount = 1;
  info.pSetLayouts = &parts.set;
  info.pushConstantRangeCount = variant.push_constant_bytes > 0 ? 1 : 0;
  info.pPushConstantRanges = &push;
  entry.get<PFN_vkCreatePipelineLayout>("vkCreatePipelineLayout")(device, &info, nullptr,
                                                                  &parts.layout);
}

void make_pipeline(const Entry& entry, VkDevice device, const Variant& variant,
                   const std::vector<std::uint32_t>& words, Parts& parts) {
  VkShaderModuleCreateInfo module_info{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
  module_info.codeSize = words.size() * sizeof(std::uint32_t);
  module_info.pCode = words.data();
  const auto create_module = entry.get<PFN_vkCreateShaderModule>("vkCreateShaderModule");
  if (create_module(device, &module_info, nullptr, &parts.module) != VK_SUCCESS) return;

  std::vector<VkSpecializationMapEntry> map;
  std::vector<std::uint32_t> values;
  for (const auto& [id, bits] : variant.specialization) {
    map.push_back({id, static_cast<std::uint32_t>(values.size() * sizeof(bits)), sizeof(bits)});
    values.push_back(bits);
  }
  const VkSpecializationInfo constants{static_cast<std::uint32_t>(map.size()), map.data(),
                                       values.size() * sizeof(std::uint32_t), values.data()};
  VkComputePipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
  info.flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR |
               VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = parts.module;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &constants;
  make_layout(entry, device, variant, parts);
  info.layout = parts.layout;
  const auto create = entry.get<PFN_vkCreateComputePipelines>("vkCreateComputePipelines");
  if (create(device, VK_NULL_HANDLE, 1, &info, nullptr, &parts.pipeline) != VK_SUCCESS) {
    parts.pipeline = VK_NULL_HANDLE;
  }
}

void destroy(const Entry& entry, VkDevice device, const Parts& parts) {
  entry.get<PFN_vkDestroyPipeline>("vkDestroyPipeline")(device, parts.pipeline, nullptr);
  entry.get<PFN_vkDestroyPipelineLayout>("vkDestroyPipelineLayout")(device, parts.layout, nullptr);
  entry.get<PFN_vkDestroyDescriptorSetLayout>("vkDestroyDescriptorSetLayout")(device, parts.set,
                                                                              nullptr);
  entry.get<PFN_vkDestroyShaderModule>("vkDestroyShaderModule")(device, parts.module, nullptr);
}

void read_statistics(const Entry& entry, VkDevice device, VkPipeline pipeline, Compiled& out) {
  VkPipelineExecutableInfoKHR which{.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR};
  which.pipeline = pipeline;
  const auto get =
      entry.get<PFN_vkGetPipelineExecutableStatisticsKHR>("vkGetPipelineExecutableStatisticsKHR");
  std::uint32_t count = 0;
  get(device, &which, &count, nullptr);
  std::vector<VkPipelineExecutableStatisticKHR> all(
      count, {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR});
  get(device, &which, &count, all.data());
  for (const auto& one : all) {
    out.statistics[one.name] = static_cast<std::int64_t>(one.value.u64);
  }
}

void read_texts(const Entry& entry, VkDevice device, VkPipeline pipeline, Compiled& out) {
  VkPipelineExecutableInfoKHR which{.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR};
  which.pipeline = pipeline;
  const auto get = entry.get<PFN_vkGetPipelineExecutableInternalRepresentationsKHR>(
      "vkGetPipelineExecutableInternalRepresentationsKHR");
  std::uint32_t count = 0;
  get(device, &which, &count, nullptr);
  std::vector<VkPipelineExecutableInternalRepresentationKHR> all(
      count, {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR});
  get(device, &which, &count, all.data());
  std::vector<std::string> texts(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    texts[i].resize(all[i].dataSize);
    all[i].pData = texts[i].data();
  }
  get(device, &which, &count, all.data());
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string text = texts[i].substr(0, texts[i].find('\0'));
    if (std::strcmp(all[i].name, "Assembly") == 0) out.assembly = with_repeats(text);
    if (std::strcmp(all[i].name, "NIR Shader(s)") == 0) out.nir = text;
    if (std::strcmp(all[i].name, "ACO IR") == 0) out.ir = text;
  }
}

}  // namespace

struct NullDevice::State {
  Entry entry;
  Device device;
};

NullDevice::NullDevice(std::unique_ptr<State> state) : state_(std::move(state)) {}

NullDevice::~NullDevice() {
  const Entry& entry = state_->entry;
  entry.get<PFN_vkDestroyDevice>("vkDestroyDevice")(state_->device.device, nullptr);
}

std::unique_ptr<NullDevice> NullDevice::open(const std::string& icd, std::string& error) {
  const EnvironmentSetting family("RADV_FORCE_FAMILY", "polaris10");
  const EnvironmentSetting driver("VK_ICD_FILENAMES", icd);
  const std::optional<Entry> entry = kept_instance(icd, error);
  if (!entry) return nullptr;
  auto state = std::make_unique<State>();
  state->entry = *entry;
  error = open_device(state->entry, state->device);
  if (!error.empty()) return nullptr;
  return std::unique_ptr<NullDevice>(new NullDevice(std::move(state)));
}

const std::string& NullDevice::mesa() const { return state_->device.mesa; }

Compiled NullDevice::compile(const Variant& variant, const std::vector<std::uint32_t>& words) {
  Compiled out;
  out.mesa = mesa();
  // A driver is not asked to survive anything else.
  if (words.size() < kSpirvHeaderWords || words[0] != kSpirvMagic) {
    out.error = "no SPIR-V in " + (variant.file.empty() ? variant.name : variant.file);
    return out;
  }
  const Entry& entry = state_->entry;
  VkDevice device = state_->device.device;
  Parts parts;
  make_pipeline(entry, device, variant, words, parts);
  if (parts.pipeline == VK_NULL_HANDLE) {
    out.error = "the driver refused the pipeline";
  } else {
    read_statistics(entry, device, parts.pipeline, out);
    read_texts(entry, device, parts.pipeline, out);
    if (out.assembly.empty()) out.error = "the driver gave no assembly";
  }
  destroy(entry, device, parts);
  return out;
}

}  // namespace polaris::radv
