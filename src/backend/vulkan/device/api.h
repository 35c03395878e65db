#pragma once
#define VK_NO_PROTOTYPES
#include <vulkan/vulkan_core.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/os/dynamic_library.h"
#include "base/result.h"

/// Vulkan's entry points as values: the loader is opened at run time, nothing is linked, and two
/// devices never share a table.
namespace polaris::vulkan {

#define POLARIS_VK_INSTANCE_FUNCTIONS(F)    \
  F(DestroyInstance)                        \
  F(EnumeratePhysicalDevices)               \
  F(EnumerateDeviceExtensionProperties)     \
  F(GetPhysicalDeviceProperties)            \
  F(GetPhysicalDeviceProperties2)           \
  F(GetPhysicalDeviceFeatures2)             \
  F(GetPhysicalDeviceMemoryProperties2)     \
  F(GetPhysicalDeviceQueueFamilyProperties) \
  F(GetDeviceProcAddr)                      \
  F(CreateDevice)

#define POLARIS_VK_DEVICE_FUNCTIONS(F) \
  F(DestroyDevice)                     \
  F(GetDeviceQueue)                    \
  F(QueueSubmit)                       \
  F(DeviceWaitIdle)                    \
  F(AllocateMemory)                    \
  F(FreeMemory)                        \
  F(MapMemory)                         \
  F(CreateBuffer)                      \
  F(DestroyBuffer)                     \
  F(BindBufferMemory)                  \
  F(GetBufferMemoryRequirements)       \
  F(CreateSemaphore)                   \
  F(DestroySemaphore)                  \
  F(WaitSemaphores)                    \
  F(GetSemaphoreCounterValue)          \
  F(SignalSemaphore)                   \
  F(CreateShaderModule)                \
  F(DestroyShaderModule)               \
  F(CreatePipelineCache)               \
  F(DestroyPipelineCache)              \
  F(GetPipelineCacheData)              \
  F(CreateComputePipelines)            \
  F(DestroyPipeline)                   \
  F(CreatePipelineLayout)              \
  F(DestroyPipelineLayout)             \
  F(CreateDescriptorSetLayout)         \
  F(DestroyDescriptorSetLayout)        \
  F(CreateDescriptorPool)              \
  F(DestroyDescriptorPool)             \
  F(AllocateDescriptorSets)            \
  F(UpdateDescriptorSets)              \
  F(CreateCommandPool)                 \
  F(DestroyCommandPool)                \
  F(ResetCommandPool)                  \
  F(AllocateCommandBuffers)            \
  F(BeginCommandBuffer)                \
  F(EndCommandBuffer)                  \
  F(CmdBindPipeline)                   \
  F(CmdBindDescriptorSets)             \
  F(CmdPushConstants)                  \
  F(CmdDispatch)                       \
  F(CmdDispatchBase)                   \
  F(CmdDispatchIndirect)               \
  F(CmdPipelineBarrier)                \
  F(CmdCopyBuffer)                     \
  F(CmdFillBuffer)                     \
  F(CreateQueryPool)                   \
  F(DestroyQueryPool)                  \
  F(CmdResetQueryPool)                 \
  F(CmdWriteTimestamp)                 \
  F(GetQueryPoolResults)

#define POLARIS_VK_MEMBER(name) PFN_vk##name name = nullptr;

struct InstanceApi {
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
  POLARIS_VK_INSTANCE_FUNCTIONS(POLARIS_VK_MEMBER)
};

struct DeviceApi {
  POLARIS_VK_DEVICE_FUNCTIONS(POLARIS_VK_MEMBER)
};

#undef POLARIS_VK_MEMBER

/// Fills every entry. Errors: device, naming the entry that is missing.
Result<DeviceApi> load_device_api(const InstanceApi& api, VkDevice device);

/// The loader and the process's VkInstance. Thread-safe.
class Instance {
 public:
  /// Made by the first call that can, and kept until the process ends: a driver that is closed and
  /// opened again uses up thread-local storage that the C library never gets back (ADR 0025).
  /// Errors: not_found (no loader, no driver, or an older Vulkan), device.
  static Result<const Instance*> shared();
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const InstanceApi& api() const { return api_; }
  VkInstance handle() const { return handle_; }

 private:
  static Result<std::unique_ptr<Instance>> create();
  explicit Instance(DynamicLibrary library) : library_(std::move(library)) {}
  DynamicLibrary library_;
  InstanceApi api_;
  VkInstance handle_ = VK_NULL_HANDLE;
};

/// "VK_ERROR_DEVICE_LOST", or "VkResult -1234".
std::string result_name(VkResult result);
/// `[vulkan] what: VK_ERROR_...`: out_of_memory for memory results, device for all others.
Error vulkan_error(std::string_view what, VkResult result);

}  // namespace polaris::vulkan
