#include "backend/vulkan/logical_device.h"

#include <utility>

namespace polaris::vulkan {

LogicalDevice::LogicalDevice(std::unique_ptr<Instance> instance, PhysicalDevice physical)
    : instance_(std::move(instance)), physical_(std::move(physical)) {}

Result<std::unique_ptr<LogicalDevice>> LogicalDevice::create(std::unique_ptr<Instance> instance,
                                                             PhysicalDevice physical) {
  std::unique_ptr<LogicalDevice> device(
      new LogicalDevice(std::move(instance), std::move(physical)));
  const Status opened = device->open();
  if (!opened) return opened.error();
  return device;
}

Status LogicalDevice::open() {
  const VulkanTarget& target = physical_.target;
  const float priority = 1.0f;
  VkDeviceQueueCreateInfo queue{};
  queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
  queue.queueFamilyIndex = physical_.queue_family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;

  // Only what kernels may use is switched on: a hidden feature is then truly missing.
  VkPhysicalDeviceShaderIntegerDotProductFeaturesKHR dot{};
  dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES_KHR;
  dot.shaderIntegerDotProduct = VK_TRUE;
  VkPhysicalDeviceVulkan12Features features12{};
  features12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  features12.pNext = target.integer_dot ? &dot : nullptr;
  features12.storageBuffer8BitAccess = VK_TRUE;
  features12.timelineSemaphore = VK_TRUE;
  features12.shaderInt8 = target.int8 ? VK_TRUE : VK_FALSE;
  features12.shaderFloat16 = target.float16 ? VK_TRUE : VK_FALSE;
  VkPhysicalDeviceVulkan11Features features11{};
  features11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
  features11.pNext = &features12;
  features11.storageBuffer16BitAccess = VK_TRUE;
  VkPhysicalDeviceFeatures2 features{};
  features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
  features.pNext = &features11;
  features.features.shaderInt64 = target.int64 ? VK_TRUE : VK_FALSE;
  features.features.shaderInt16 = target.int16 ? VK_TRUE : VK_FALSE;

  const char* dot_extension = VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME;
  VkDeviceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &features;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queue;
  info.enabledExtensionCount = target.integer_dot ? 1 : 0;
  info.ppEnabledExtensionNames = &dot_extension;
  VkResult result = instance_->api().CreateDevice(physical_.handle, &info, nullptr, &handle_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateDevice", result);
  Result<DeviceApi> api = load_device_api(instance_->api(), handle_);
  if (!api) return api.error();
  api_ = *api;
  api_.GetDeviceQueue(handle_, physical_.queue_family, 0, &queue_);

  VkSemaphoreTypeCreateInfo type{};
  type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo semaphore{};
  semaphore.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  semaphore.pNext = &type;
  result = api_.CreateSemaphore(handle_, &semaphore, nullptr, &timeline_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateSemaphore", result);
  return Status::success();
}

LogicalDevice::~LogicalDevice() {
  if (handle_ == VK_NULL_HANDLE || api_.DestroyDevice == nullptr) return;
  api_.DeviceWaitIdle(handle_);
  api_.DestroySemaphore(handle_, timeline_, nullptr);
  api_.DestroyDevice(handle_, nullptr);
}

Result<std::uint64_t> LogicalDevice::submit(VkCommandBuffer commands) {
  const std::uint64_t value = last_.load(std::memory_order_relaxed) + 1;
  VkTimelineSemaphoreSubmitInfo timeline{};
  timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
  timeline.signalSemaphoreValueCount = 1;
  timeline.pSignalSemaphoreValues = &value;
  VkSubmitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.pNext = &timeline;
  info.commandBufferCount = 1;
  info.pCommandBuffers = &commands;
  info.signalSemaphoreCount = 1;
  info.pSignalSemaphores = &timeline_;
  const VkResult result = api_.QueueSubmit(queue_, 1, &info, VK_NULL_HANDLE);
  if (result != VK_SUCCESS) return vulkan_error("vkQueueSubmit", result);
  last_.store(value, std::memory_order_release);
  submits_.fetch_add(1, std::memory_order_relaxed);
  return value;
}

bool LogicalDevice::reached(std::uint64_t value) const {
  if (value <= seen_.load(std::memory_order_acquire)) return true;
  std::uint64_t now = 0;
  if (api_.GetSemaphoreCounterValue(handle_, timeline_, &now) != VK_SUCCESS) return false;
  seen_.store(now, std::memory_order_release);
  return value <= now;
}

Status LogicalDevice::wait(std::uint64_t value) {
  if (value <= seen_.load(std::memory_order_acquire)) return Status::success();
  VkSemaphoreWaitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  info.semaphoreCount = 1;
  info.pSemaphores = &timeline_;
  info.pValues = &value;
  const VkResult result = api_.WaitSemaphores(handle_, &info, UINT64_MAX);
  if (result != VK_SUCCESS) return vulkan_error("vkWaitSemaphores", result);
  seen_.store(value, std::memory_order_release);
  return Status::success();
}

CommandPool::~CommandPool() {
  if (handle_ != VK_NULL_HANDLE) {
    device_.api().DestroyCommandPool(device_.handle(), handle_, nullptr);
  }
}

Status CommandPool::open() {
  VkCommandPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  info.queueFamilyIndex = device_.physical().queue_family;
  const VkResult result =
      device_.api().CreateCommandPool(device_.handle(), &info, nullptr, &handle_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateCommandPool", result);
  return Status::success();
}

Result<VkCommandBuffer> CommandPool::begin(bool once) {
  VkCommandBufferAllocateInfo allocate{};
  allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  allocate.commandPool = handle_;
  allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  allocate.commandBufferCount = 1;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  VkResult result = device_.api().AllocateCommandBuffers(device_.handle(), &allocate, &commands);
  if (result != VK_SUCCESS) return vulkan_error("vkAllocateCommandBuffers", result);
  VkCommandBufferBeginInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  // A replayed one may be queued again before its last run has ended.
  info.flags = once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT
                    : VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
  result = device_.api().BeginCommandBuffer(commands, &info);
  if (result != VK_SUCCESS) return vulkan_error("vkBeginCommandBuffer", result);
  return commands;
}

Status CommandPool::end(VkCommandBuffer commands) {
  const VkResult result = device_.api().EndCommandBuffer(commands);
  if (result != VK_SUCCESS) return vulkan_error("vkEndCommandBuffer", result);
  return Status::success();
}

void CommandPool::reset() {
  device_.api().ResetCommandPool(device_.handle(), handle_,
                                 VK_COMMAND_POOL_RESET_RELEASE_RESOURCES_BIT);
}

namespace {

void barrier(const DeviceApi& api, VkCommandBuffer commands, VkPipelineStageFlags from,
             VkAccessFlags from_access, VkPipelineStageFlags to, VkAccessFlags to_access) {
  VkMemoryBarrier memory{};
  memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
  memory.srcAccessMask = from_access;
  memory.dstAccessMask = to_access;
  api.CmdPipelineBarrier(commands, from, to, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

}  // namespace

void full_barrier(const DeviceApi& api, VkCommandBuffer commands) {
  barrier(api, commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_ACCESS_MEMORY_WRITE_BIT,
          VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
          VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT);
}

void compute_barrier(const DeviceApi& api, VkCommandBuffer commands) {
  barrier(
      api, commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
      VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT,
      VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_INDIRECT_COMMAND_READ_BIT);
}

void host_barrier(const DeviceApi& api, VkCommandBuffer commands) {
  barrier(api, commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
          VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
          VK_ACCESS_HOST_READ_BIT);
}

}  // namespace polaris::vulkan
