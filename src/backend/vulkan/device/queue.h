#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>

#include "backend/vulkan/device/api.h"

namespace polaris::vulkan {

/// A timeline semaphore. Waiting for a value never fails but for a lost device.
class Timeline {
 public:
  Timeline() = default;
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  Status open(const DeviceApi& api, VkDevice device);
  void close();
  VkSemaphore handle() const { return handle_; }
  bool reached(std::uint64_t value) const;
  /// The latest value that is reached.
  std::uint64_t value() const;
  Status wait(std::uint64_t value) const;
  /// Reaches `value` from the host.
  Status signal(std::uint64_t value);

  struct Point {
    const Timeline* timeline;
    std::uint64_t value;
  };
  /// Blocks until one of them is reached; all are of one device.
  static Status wait_any(std::span<const Point> points);

 private:
  Status poll(std::uint64_t value) const;

  const DeviceApi* api_ = nullptr;
  VkDevice device_ = VK_NULL_HANDLE;
  VkSemaphore handle_ = VK_NULL_HANDLE;
  mutable std::atomic<std::uint64_t> seen_{0};  // a value known to be reached
};

/// Lets the n-th submission to any queue of a device fail; for tests.
struct SubmitFault {
  std::int64_t at = 0;  // 0: none
  std::atomic<std::int64_t> tries{0};
};

/// Submissions to a VkQueue in order, each with the next value of a timeline. Two may stand on one
/// VkQueue, and then share its mutex.
class Queue {
 public:
  Status open(const DeviceApi& api, VkDevice device, VkQueue queue, std::mutex& mutex,
              std::uint32_t family, SubmitFault& fault);
  void close() { timeline_.close(); }

  /// Starts once `after`, if it is given, has reached its value, and sees what was written by then.
  Result<std::uint64_t> submit(VkCommandBuffer commands, const Timeline::Point* after = nullptr);
  /// Value of the latest submission; 0 before the first.
  std::uint64_t last_value() const { return last_.load(std::memory_order_acquire); }
  const Timeline& timeline() const { return timeline_; }
  bool reached(std::uint64_t value) const { return timeline_.reached(value); }
  Status wait(std::uint64_t value) const { return timeline_.wait(value); }
  std::uint32_t family() const { return family_; }

 private:
  const DeviceApi* api_ = nullptr;
  VkQueue queue_ = VK_NULL_HANDLE;
  std::mutex* mutex_ = nullptr;
  std::uint32_t family_ = 0;
  SubmitFault* fault_ = nullptr;
  Timeline timeline_;
  std::atomic<std::uint64_t> last_{0};
};

}  // namespace polaris::vulkan
