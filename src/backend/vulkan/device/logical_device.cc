#include "backend/vulkan/device/logical_device.h"

#include <algorithm>
#include <utility>

namespace polaris::vulkan {

LogicalDevice::LogicalDevice(const Instance& instance, PhysicalDevice physical)
    : instance_(instance), physical_(std::move(physical)) {}

Result<std::unique_ptr<LogicalDevice>> LogicalDevice::create(const Instance& instance,
                                                             PhysicalDevice physical,
                                                             std::int64_t fail_submit_at) {
  std::unique_ptr<LogicalDevice> device(new LogicalDevice(instance, std::move(physical)));
  device->fault_.at = fail_submit_at;
  const Status opened = device->open();
  if (!opened) return opened.error();
  return device;
}

Status LogicalDevice::open() {
  const VulkanTarget& target = physical_.target;
  const float priorities[2] = {1.0f, 1.0f};
  const bool own_family = physical_.copy_family != physical_.queue_family;
  VkDeviceQueueCreateInfo queues[2] = {};
  for (VkDeviceQueueCreateInfo& queue : queues) {
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueCount = 1;
    queue.pQueuePriorities = priorities;
  }
  queues[0].queueFamilyIndex = physical_.queue_family;
  queues[1].queueFamilyIndex = physical_.copy_family;
  if (!own_family) queues[0].queueCount = physical_.copy_queue + 1;

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
  info.queueCreateInfoCount = own_family ? 2 : 1;
  info.pQueueCreateInfos = queues;
  info.enabledExtensionCount = target.integer_dot ? 1 : 0;
  info.ppEnabledExtensionNames = &dot_extension;
  const Status created = create_device(info);
  return created ? open_queues() : created;
}

Status LogicalDevice::create_device(const VkDeviceCreateInfo& info) {
  const VkResult result = instance_.api().CreateDevice(physical_.handle, &info, nullptr, &handle_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateDevice", result);
  Result<DeviceApi> api = load_device_api(instance_.api(), handle_);
  if (!api) return api.error();
  api_ = *api;
  return Status::success();
}

Status LogicalDevice::open_queues() {
  VkQueue compute = VK_NULL_HANDLE;
  VkQueue copies = VK_NULL_HANDLE;
  api_.GetDeviceQueue(handle_, physical_.queue_family, 0, &compute);
  api_.GetDeviceQueue(handle_, physical_.copy_family, physical_.copy_queue, &copies);
  one_queue_ = copies == compute;
  std::mutex& copies_mutex = one_queue_ ? compute_mutex_ : copies_mutex_;
  Status opened =
      compute_.open(api_, handle_, compute, compute_mutex_, physical_.queue_family, fault_);
  if (opened) {
    opened = copies_.open(api_, handle_, copies, copies_mutex, physical_.copy_family, fault_);
  }
  return opened ? wake_.open(api_, handle_) : opened;
}

Result<std::uint64_t> LogicalDevice::submit_compute(VkCommandBuffer commands) {
  const std::uint64_t seen = copies_seen_.load(std::memory_order_relaxed);
  // One queue sees its own work by barriers; of another the host's waiting shows nothing.
  if (one_queue_ || copies_.last_value() == seen) return compute_.submit(commands);
  const Timeline::Point copied{&copies_.timeline(), copies_.timeline().value()};
  const auto value = compute_.submit(commands, &copied);
  if (value) copies_seen_.store(std::max(seen, copied.value), std::memory_order_relaxed);
  return value;
}

std::optional<std::int64_t> LogicalDevice::driver_budget() const {
  if (!physical_.has_budget_extension) return std::nullopt;
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
  budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
  VkPhysicalDeviceMemoryProperties2 memory{};
  memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
  memory.pNext = &budget;
  instance_.api().GetPhysicalDeviceMemoryProperties2(physical_.handle, &memory);
  return static_cast<std::int64_t>(
      std::min<std::uint64_t>(budget.heapBudget[physical_.device_heap], INT64_MAX));
}

LogicalDevice::~LogicalDevice() {
  if (handle_ == VK_NULL_HANDLE || api_.DestroyDevice == nullptr) return;
  api_.DeviceWaitIdle(handle_);
  compute_.close();
  copies_.close();
  wake_.close();
  api_.DestroyDevice(handle_, nullptr);
}

CommandPool::~CommandPool() {
  if (handle_ != VK_NULL_HANDLE) {
    device_.api().DestroyCommandPool(device_.handle(), handle_, nullptr);
  }
}

Status CommandPool::open(std::uint32_t family) {
  VkCommandPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  info.queueFamilyIndex = family;
  const VkResult result =
      device_.api().CreateCommandPool(device_.handle(), &info, nullptr, &handle_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateCommandPool", result);
  return Status::success();
}

Result<VkCommandBuffer> CommandPool::begin(bool once) {
  if (used_ == made_.size()) {
    VkCommandBufferAllocateInfo allocate{};
    allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    allocate.commandPool = handle_;
    allocate.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    allocate.commandBufferCount = 1;
    VkCommandBuffer fresh = VK_NULL_HANDLE;
    const VkResult made = device_.api().AllocateCommandBuffers(device_.handle(), &allocate, &fresh);
    if (made != VK_SUCCESS) return vulkan_error("vkAllocateCommandBuffers", made);
    made_.push_back(fresh);
  }
  VkCommandBuffer commands = made_[used_++];
  VkCommandBufferBeginInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  // A replayed one may be queued again before its last run has ended.
  info.flags = once ? VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT
                    : VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
  const VkResult result = device_.api().BeginCommandBuffer(commands, &info);
  if (result != VK_SUCCESS) return vulkan_error("vkBeginCommandBuffer", result);
  return commands;
}

Status CommandPool::end(VkCommandBuffer commands) {
  const VkResult result = device_.api().EndCommandBuffer(commands);
  if (result != VK_SUCCESS) return vulkan_error("vkEndCommandBuffer", result);
  return Status::success();
}

void CommandPool::reset() {
  device_.api().ResetCommandPool(device_.handle(), handle_, 0);
  used_ = 0;
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
  barrier(api, commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
          VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
          VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
}

void indirect_barrier(const DeviceApi& api, VkCommandBuffer commands) {
  barrier(api, commands, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_ACCESS_SHADER_WRITE_BIT,
          VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT, VK_ACCESS_INDIRECT_COMMAND_READ_BIT);
}

void host_barrier(const DeviceApi& api, VkCommandBuffer commands) {
  // All commands: a queue that only copies knows no stage of kernels.
  barrier(api, commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_ACCESS_MEMORY_WRITE_BIT,
          VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
}

}  // namespace polaris::vulkan
