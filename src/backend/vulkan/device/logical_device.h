#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backend/vulkan/device/api.h"
#include "backend/vulkan/device/physical_device.h"
#include "backend/vulkan/device/queue.h"

namespace polaris::vulkan {

/// A VkDevice with a queue for kernels and one for copies: in a family of its own where there is
/// one, else beside the first, else the same VkQueue.
class LogicalDevice {
 public:
  /// `fail_submit_at`: the n-th submission fails; 0: none does.
  static Result<std::unique_ptr<LogicalDevice>> create(const Instance& instance,
                                                       PhysicalDevice physical,
                                                       std::int64_t fail_submit_at);
  ~LogicalDevice();
  LogicalDevice(const LogicalDevice&) = delete;
  LogicalDevice& operator=(const LogicalDevice&) = delete;

  const DeviceApi& api() const { return api_; }
  VkDevice handle() const { return handle_; }
  const PhysicalDevice& physical() const { return physical_; }

  Queue& compute() { return compute_; }
  /// Submits to the compute queue; what the queue of copies has done by now is seen.
  Result<std::uint64_t> submit_compute(VkCommandBuffer commands);
  Queue& copies() { return copies_; }
  /// Signalled by the host to end a wait.
  Timeline& wake() { return wake_; }
  std::int64_t submits() const {
    return static_cast<std::int64_t>(compute_.last_value() + copies_.last_value());
  }
  /// What the driver would let this process use now, or nothing where it does not say.
  std::optional<std::int64_t> driver_budget() const;

 private:
  LogicalDevice(const Instance& instance, PhysicalDevice physical);
  Status open();
  Status create_device(const VkDeviceCreateInfo& info);
  Status open_queues();
  const Instance& instance_;
  PhysicalDevice physical_;
  DeviceApi api_;
  VkDevice handle_ = VK_NULL_HANDLE;
  std::mutex compute_mutex_;
  std::mutex copies_mutex_;
  SubmitFault fault_;
  Queue compute_;
  Queue copies_;
  Timeline wake_;
  bool one_queue_ = false;
  std::atomic<std::uint64_t> copies_seen_{0};  // by the compute queue
};

/// A command pool with command buffers of one length of life.
class CommandPool {
 public:
  explicit CommandPool(LogicalDevice& device) : device_(device) {}
  ~CommandPool();
  CommandPool(const CommandPool&) = delete;
  CommandPool& operator=(const CommandPool&) = delete;

  Status open(std::uint32_t family);
  /// A command buffer, begun; `once`: submitted a single time.
  Result<VkCommandBuffer> begin(bool once);
  Status end(VkCommandBuffer commands);
  /// All command buffers may be begun anew; none may be in flight.
  void reset();

 private:
  LogicalDevice& device_;
  VkCommandPool handle_ = VK_NULL_HANDLE;
  std::vector<VkCommandBuffer> made_;
  std::size_t used_ = 0;
};

/// Everything before, by any stage, is done and visible to everything after.
void full_barrier(const DeviceApi& api, VkCommandBuffer commands);
/// Kernel writes become visible to later kernels.
void compute_barrier(const DeviceApi& api, VkCommandBuffer commands);
/// Kernel writes become visible as grids of later kernels, for which a device's front end waits:
/// that costs more.
void indirect_barrier(const DeviceApi& api, VkCommandBuffer commands);
/// Writes of kernels and copies become visible to the host once the submission is waited for.
void host_barrier(const DeviceApi& api, VkCommandBuffer commands);

}  // namespace polaris::vulkan
