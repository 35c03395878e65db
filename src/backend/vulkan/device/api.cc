#include "backend/vulkan/device/api.h"

#include <mutex>
#include <utility>

namespace polaris::vulkan {

Result<DeviceApi> load_device_api(const InstanceApi& instance, VkDevice device) {
  DeviceApi api;
  const char* missing = nullptr;
#define POLARIS_VK_LOAD(name)                                                                \
  api.name = reinterpret_cast<PFN_vk##name>(instance.GetDeviceProcAddr(device, "vk" #name)); \
  if (api.name == nullptr) missing = "vk" #name;
  POLARIS_VK_DEVICE_FUNCTIONS(POLARIS_VK_LOAD)
#undef POLARIS_VK_LOAD
  if (missing != nullptr) {
    return Error::device(std::string("[vulkan] the driver lacks ") + missing);
  }
  return api;
}

Result<const Instance*> Instance::shared() {
  // tidy: allow globals (drivers stay open as long as the process lives)
  static std::mutex mutex;
  // tidy: allow globals (the same)
  static const Instance* kept = nullptr;
  const std::lock_guard lock(mutex);
  if (kept == nullptr) {
    auto made = create();
    if (!made) return made.error();
    kept = made->release();
  }
  return kept;
}

Result<std::unique_ptr<Instance>> Instance::create() {
  Result<DynamicLibrary> library = DynamicLibrary::open("libvulkan.so.1");
  if (!library) return library.error().with_context("[vulkan] no loader");
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): the constructor is private
  std::unique_ptr<Instance> instance(new Instance(library.take()));
  InstanceApi& api = instance->api_;
  api.GetInstanceProcAddr =
      instance->library_.function<std::remove_pointer_t<PFN_vkGetInstanceProcAddr>>(
          "vkGetInstanceProcAddr");
  if (api.GetInstanceProcAddr == nullptr) {
    return Error::not_found("[vulkan] the loader exports no vkGetInstanceProcAddr");
  }
  const auto version_of = reinterpret_cast<PFN_vkEnumerateInstanceVersion>(
      api.GetInstanceProcAddr(nullptr, "vkEnumerateInstanceVersion"));
  std::uint32_t version = VK_API_VERSION_1_0;
  if (version_of != nullptr) version_of(&version);
  if (version < VK_API_VERSION_1_2) {
    return Error::not_found("[vulkan] the loader is older than Vulkan 1.2");
  }
  const auto create_instance =
      reinterpret_cast<PFN_vkCreateInstance>(api.GetInstanceProcAddr(nullptr, "vkCreateInstance"));
  if (create_instance == nullptr) return Error::device("[vulkan] the loader cannot make instances");
  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "PolarisRT";
  application.pEngineName = "PolarisRT";
  application.apiVersion = VK_API_VERSION_1_2;
  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pApplicationInfo = &application;
  const VkResult created = create_instance(&info, nullptr, &instance->handle_);
  if (created == VK_ERROR_INCOMPATIBLE_DRIVER) {
    return Error::not_found("[vulkan] no driver is installed");
  }
  if (created != VK_SUCCESS) return vulkan_error("vkCreateInstance", created);
  const char* missing = nullptr;
#define POLARIS_VK_LOAD(name)                                                                 \
  api.name =                                                                                  \
      reinterpret_cast<PFN_vk##name>(api.GetInstanceProcAddr(instance->handle_, "vk" #name)); \
  if (api.name == nullptr) missing = "vk" #name;
  POLARIS_VK_INSTANCE_FUNCTIONS(POLARIS_VK_LOAD)
#undef POLARIS_VK_LOAD
  if (missing != nullptr) {
    return Error::device(std::string("[vulkan] the loader lacks ") + missing);
  }
  return instance;
}

Instance::~Instance() {
  if (handle_ != VK_NULL_HANDLE && api_.DestroyInstance != nullptr) {
    api_.DestroyInstance(handle_, nullptr);
  }
}

std::string result_name(VkResult result) {
  switch (result) {
    case VK_SUCCESS: return "VK_SUCCESS";
    case VK_NOT_READY: return "VK_NOT_READY";
    case VK_TIMEOUT: return "VK_TIMEOUT";
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST: return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_MEMORY_MAP_FAILED: return "VK_ERROR_MEMORY_MAP_FAILED";
    case VK_ERROR_LAYER_NOT_PRESENT: return "VK_ERROR_LAYER_NOT_PRESENT";
    case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_FEATURE_NOT_PRESENT: return "VK_ERROR_FEATURE_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_ERROR_TOO_MANY_OBJECTS: return "VK_ERROR_TOO_MANY_OBJECTS";
    case VK_ERROR_FRAGMENTED_POOL: return "VK_ERROR_FRAGMENTED_POOL";
    case VK_ERROR_OUT_OF_POOL_MEMORY: return "VK_ERROR_OUT_OF_POOL_MEMORY";
    default: return "VkResult " + std::to_string(static_cast<int>(result));
  }
}

Error vulkan_error(std::string_view what, VkResult result) {
  std::string message = "[vulkan] " + std::string(what) + ": " + result_name(result);
  switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_TOO_MANY_OBJECTS:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTED_POOL: return Error::out_of_memory(std::move(message));
    default: return Error::device(std::move(message));
  }
}

}  // namespace polaris::vulkan
