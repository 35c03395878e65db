#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "backend/backend.h"
#include "backend/vulkan/device/retirer.h"

namespace polaris::vulkan {

class MemoryPool;

/// A VkBuffer with its memory, given back together.
class Allocation final : public Retired {
 public:
  Allocation(MemoryPool& pool, std::int64_t bytes) : pool_(pool), bytes_(bytes) {}
  ~Allocation() override;
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;

 private:
  MemoryPool& pool_;
  std::int64_t bytes_;
};

/// A VkBuffer over memory of its own, which outlives it while the device uses it.
class VulkanBuffer final : public Buffer {
 public:
  VulkanBuffer(MemoryPool& pool, std::int64_t bytes, std::int64_t real_bytes, std::byte* host,
               std::unique_ptr<Allocation> allocation, bool internal);
  ~VulkanBuffer() override;
  VkBuffer handle() const { return allocation_->buffer; }
  /// Bytes that the VkBuffer really has: bytes() rounded up.
  std::int64_t real_bytes() const { return real_bytes_; }
  /// The work names this buffer.
  void note_turn(std::uint64_t turn) { raise(turn_, turn); }
  void note_copy(std::uint64_t copy) { raise(copy_, copy); }

 private:
  static void raise(std::atomic<std::uint64_t>& last, std::uint64_t value);
  MemoryPool& pool_;
  std::int64_t real_bytes_;
  std::unique_ptr<Allocation> allocation_;
  bool internal_;
  std::atomic<std::uint64_t> turn_{0};
  std::atomic<std::uint64_t> copy_{0};
};

/// Allocates and counts. Refuses what the budget or the allocation limit forbids before it asks the
/// driver, but waits for memory that was let go and is still in use.
class MemoryPool {
 public:
  MemoryPool(LogicalDevice& device, TurnQueue& turns, std::int64_t fail_at)
      : device_(device), fail_at_(fail_at), retirer_(device, turns) {}
  /// `internal`: staging and constants of our own, left out of the counters that users read.
  Result<std::unique_ptr<VulkanBuffer>> allocate(std::int64_t bytes, MemoryKind kind,
                                                 bool internal = false);
  std::int64_t allocations() const { return allocations_; }
  std::int64_t live_bytes() const { return live_bytes_; }
  std::int64_t peak_bytes() const { return peak_bytes_; }
  LogicalDevice& device() { return device_; }
  Retirer& retirer() { return retirer_; }
  /// What this process may use now; asked again of the driver when the last answer is old.
  std::int64_t budget_bytes();

 private:
  friend class VulkanBuffer;
  friend class Allocation;
  Result<std::unique_ptr<VulkanBuffer>> try_allocate(std::int64_t bytes, MemoryKind kind,
                                                     bool internal);
  Status reserve(std::int64_t bytes);
  void release(std::int64_t bytes);
  VkResult create(Allocation& made, std::int64_t bytes, MemoryKind kind, void** host,
                  std::string_view& what);
  std::uint32_t find_type(std::uint32_t allowed, MemoryKind kind) const;

  LogicalDevice& device_;
  const std::int64_t fail_at_;
  std::atomic<std::int64_t> tries_{0};
  std::atomic<std::int64_t> allocations_{0};
  std::atomic<std::int64_t> live_bytes_{0};
  std::atomic<std::int64_t> peak_bytes_{0};
  std::mutex mutex_;
  std::int64_t reserved_bytes_ = 0;  // internal ones too, and what is still in use
  std::uint32_t live_count_ = 0;
  std::atomic<std::int64_t> driver_budget_{INT64_MAX};
  std::atomic<std::int64_t> asked_ns_{0};
  Retirer retirer_;  // last: what it holds gives its bytes back to the above
};

}  // namespace polaris::vulkan
