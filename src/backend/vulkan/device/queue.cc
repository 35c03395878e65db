#include "backend/vulkan/device/queue.h"

#include <algorithm>
#include <string>

#include "base/os/clock.h"

namespace polaris::vulkan {
namespace {

constexpr std::size_t kPointsMax = 4;
constexpr std::int64_t kPollNs = 200'000;

}  // namespace

Status Timeline::open(const DeviceApi& api, VkDevice device) {
  api_ = &api;
  device_ = device;
  VkSemaphoreTypeCreateInfo type{};
  type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  info.pNext = &type;
  const VkResult result = api.CreateSemaphore(device, &info, nullptr, &handle_);
  if (result != VK_SUCCESS) return vulkan_error("vkCreateSemaphore", result);
  return Status::success();
}

void Timeline::close() {
  if (handle_ != VK_NULL_HANDLE) api_->DestroySemaphore(device_, handle_, nullptr);
  handle_ = VK_NULL_HANDLE;
}

std::uint64_t Timeline::value() const {
  std::uint64_t now = 0;
  if (api_->GetSemaphoreCounterValue(device_, handle_, &now) == VK_SUCCESS) {
    seen_.store(now, std::memory_order_release);
  }
  return seen_.load(std::memory_order_acquire);
}

bool Timeline::reached(std::uint64_t value) const {
  return value <= seen_.load(std::memory_order_acquire) || value <= this->value();
}

Status Timeline::wait(std::uint64_t value) const {
  if (value <= seen_.load(std::memory_order_acquire)) return Status::success();
  VkSemaphoreWaitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  info.semaphoreCount = 1;
  info.pSemaphores = &handle_;
  info.pValues = &value;
  const VkResult result = api_->WaitSemaphores(device_, &info, UINT64_MAX);
  if (result == VK_ERROR_DEVICE_LOST) return vulkan_error("vkWaitSemaphores", result);
  // Out of memory here says nothing of the work, whose buffers must not be let go yet.
  if (result != VK_SUCCESS) return poll(value);
  seen_.store(value, std::memory_order_release);
  return Status::success();
}

Status Timeline::poll(std::uint64_t value) const {
  while (true) {
    std::uint64_t now = 0;
    const VkResult result = api_->GetSemaphoreCounterValue(device_, handle_, &now);
    if (result == VK_ERROR_DEVICE_LOST) return vulkan_error("vkGetSemaphoreCounterValue", result);
    if (result == VK_SUCCESS && value <= now) return Status::success();
    sleep_ns(kPollNs);
  }
}

Status Timeline::signal(std::uint64_t value) {
  VkSemaphoreSignalInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO;
  info.semaphore = handle_;
  info.value = value;
  const VkResult result = api_->SignalSemaphore(device_, &info);
  if (result != VK_SUCCESS) return vulkan_error("vkSignalSemaphore", result);
  return Status::success();
}

Status Timeline::wait_any(std::span<const Point> points) {
  VkSemaphore handles[kPointsMax] = {};
  std::uint64_t values[kPointsMax] = {};
  const std::size_t count = std::min(points.size(), kPointsMax);
  for (std::size_t i = 0; i < count; ++i) {
    handles[i] = points[i].timeline->handle();
    values[i] = points[i].value;
  }
  VkSemaphoreWaitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  info.flags = VK_SEMAPHORE_WAIT_ANY_BIT;
  info.semaphoreCount = static_cast<std::uint32_t>(count);
  info.pSemaphores = handles;
  info.pValues = values;
  const Timeline& first = *points[0].timeline;
  const VkResult result = first.api_->WaitSemaphores(first.device_, &info, UINT64_MAX);
  if (result == VK_ERROR_DEVICE_LOST) return vulkan_error("vkWaitSemaphores", result);
  if (result != VK_SUCCESS) sleep_ns(kPollNs);  // out of memory: the caller looks and waits again
  return Status::success();
}

Status Queue::open(const DeviceApi& api, VkDevice device, VkQueue queue, std::mutex& mutex,
                   std::uint32_t family, SubmitFault& fault) {
  fault_ = &fault;
  api_ = &api;
  queue_ = queue;
  mutex_ = &mutex;
  family_ = family;
  return timeline_.open(api, device);
}

Result<std::uint64_t> Queue::submit(VkCommandBuffer commands, const Timeline::Point* after) {
  const std::lock_guard lock(*mutex_);
  if (fault_->tries.fetch_add(1) + 1 == fault_->at) {
    return Error::out_of_memory("[vulkan] submission " + std::to_string(fault_->at) +
                                " fails, as asked for");
  }
  const std::uint64_t value = last_.load(std::memory_order_relaxed) + 1;
  const VkSemaphore semaphore = timeline_.handle();
  VkTimelineSemaphoreSubmitInfo timeline{};
  timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
  timeline.signalSemaphoreValueCount = 1;
  timeline.pSignalSemaphoreValues = &value;
  VkSubmitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.pNext = &timeline;
  VkSemaphore awaited = VK_NULL_HANDLE;
  const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  if (after != nullptr) {
    awaited = after->timeline->handle();
    timeline.waitSemaphoreValueCount = 1;
    timeline.pWaitSemaphoreValues = &after->value;
    info.waitSemaphoreCount = 1;
    info.pWaitSemaphores = &awaited;
    info.pWaitDstStageMask = &stage;
  }
  info.commandBufferCount = 1;
  info.pCommandBuffers = &commands;
  info.signalSemaphoreCount = 1;
  info.pSignalSemaphores = &semaphore;
  const VkResult result = api_->QueueSubmit(queue_, 1, &info, VK_NULL_HANDLE);
  if (result != VK_SUCCESS) return vulkan_error("vkQueueSubmit", result);
  last_.store(value, std::memory_order_release);
  return value;
}

}  // namespace polaris::vulkan
