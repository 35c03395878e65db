#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "backend/vulkan/api.h"
#include "backend/vulkan/physical_device.h"

namespace polaris::vulkan {

/// A VkDevice with one compute queue and one timeline semaphore: submissions have rising values,
/// and a Fence is such a value.
class LogicalDevice {
 public:
  static Result<std::unique_ptr<LogicalDevice>> create(std::unique_ptr<Instance> instance,
                                                       PhysicalDevice physical);
  ~LogicalDevice();
  LogicalDevice(const LogicalDevice&) = delete;
  LogicalDevice& operator=(const LogicalDevice&) = delete;

  const DeviceApi& api() const { return api_; }
  VkDevice handle() const { return handle_; }
  const PhysicalDevice& physical() const { return physical_; }

  /// Keeps the command buffers of one submission together on the queue. Taken before submit().
  std::mutex& queue_mutex() { return queue_mutex_; }
  /// Queues one command buffer; with the queue's mutex held. Returns its timeline value.
  Result<std::uint64_t> submit(VkCommandBuffer commands);
  /// Value of the latest submission; 0 before the first.
  std::uint64_t last_value() const { return last_.load(std::memory_order_acquire); }
  bool reached(std::uint64_t value) const;
  /// Blocks until the submission is complete. Errors: device, once the device is lost.
  Status wait(std::uint64_t value);
  std::int64_t submits() const { return submits_.load(std::memory_order_relaxed); }

 private:
  LogicalDevice(std::unique_ptr<Instance> instance, PhysicalDevice physical);
  Status open();
  std::unique_ptr<Instance> instance_;
  PhysicalDevice physical_;
  DeviceApi api_;
  VkDevice handle_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  VkSemaphore timeline_ = VK_NULL_HANDLE;
  std::mutex queue_mutex_;
  std::atomic<std::uint64_t> last_{0};
  std::atomic<std::int64_t> submits_{0};
  mutable std::atomic<std::uint64_t> seen_{0};  // a value known to be reached
};

/// A command pool with command buffers of one length of life.
class CommandPool {
 public:
  explicit CommandPool(LogicalDevice& device) : device_(device) {}
  ~CommandPool();
  CommandPool(const CommandPool&) = delete;
  CommandPool& operator=(const CommandPool&) = delete;

  Status open();
  /// A new command buffer, begun; `once`: submitted a single time.
  Result<VkCommandBuffer> begin(bool once);
  Status end(VkCommandBuffer commands);
  /// Gives all command buffers back; none may be in flight.
  void reset();

 private:
  LogicalDevice& device_;
  VkCommandPool handle_ = VK_NULL_HANDLE;
};

/// Everything before, by any stage, is done and visible to everything after.
void full_barrier(const DeviceApi& api, VkCommandBuffer commands);
/// Kernel writes become visible to later kernels and indirect grids.
void compute_barrier(const DeviceApi& api, VkCommandBuffer commands);
/// Writes of kernels and copies become visible to the host once the submission is waited for.
void host_barrier(const DeviceApi& api, VkCommandBuffer commands);

}  // namespace polaris::vulkan
