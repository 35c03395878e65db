#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "backend/backend.h"
#include "backend/vulkan/logical_device.h"

namespace polaris::vulkan {

class MemoryPool;

/// A VkBuffer over memory of its own.
class VulkanBuffer final : public Buffer {
 public:
  VulkanBuffer(MemoryPool& pool, std::int64_t bytes, std::int64_t real_bytes, std::byte* host,
               VkBuffer buffer, VkDeviceMemory memory, bool internal);
  ~VulkanBuffer() override;
  VkBuffer handle() const { return buffer_; }
  /// Bytes that the VkBuffer really has: bytes() rounded up.
  std::int64_t real_bytes() const { return real_bytes_; }

 private:
  MemoryPool& pool_;
  std::int64_t real_bytes_;
  VkBuffer buffer_;
  VkDeviceMemory memory_;
  bool internal_;
};

/// Allocates and counts. Refuses what the budget or the allocation limit forbids before it asks the
/// driver.
class MemoryPool {
 public:
  MemoryPool(LogicalDevice& device, std::int64_t fail_at) : device_(device), fail_at_(fail_at) {}
  /// `internal`: staging and constants of our own, left out of the counters that users read.
  Result<std::unique_ptr<VulkanBuffer>> allocate(std::int64_t bytes, MemoryKind kind,
                                                 bool internal = false);
  std::int64_t allocations() const { return allocations_; }
  std::int64_t live_bytes() const { return live_bytes_; }
  std::int64_t peak_bytes() const { return peak_bytes_; }
  LogicalDevice& device() { return device_; }

 private:
  friend class VulkanBuffer;
  Status reserve(std::int64_t bytes);
  void release(std::int64_t bytes, bool internal);
  std::uint32_t find_type(std::uint32_t allowed, MemoryKind kind) const;

  LogicalDevice& device_;
  const std::int64_t fail_at_;
  std::atomic<std::int64_t> tries_{0};
  std::atomic<std::int64_t> allocations_{0};
  std::atomic<std::int64_t> live_bytes_{0};
  std::atomic<std::int64_t> peak_bytes_{0};
  std::mutex mutex_;
  std::int64_t reserved_bytes_ = 0;  // internal ones too
  std::uint32_t live_count_ = 0;
};

}  // namespace polaris::vulkan
