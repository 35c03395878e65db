#pragma once
#include <atomic>
#include <cstdint>
#include <memory>

#include "backend/backend.h"

namespace polaris::reference {

/// Host bytes handed out, counted against a budget. Buffers share it, so that they may be freed
/// after the device's other parts.
class Memory {
 public:
  Memory(std::int64_t budget_bytes, std::int64_t allocation_bytes_max,
         std::int64_t fail_allocation_at)
      : budget_bytes_(budget_bytes),
        allocation_bytes_max_(allocation_bytes_max),
        fail_allocation_at_(fail_allocation_at) {}

  /// Errors: out_of_memory (the budget, the largest allocation, the machine).
  static Result<std::unique_ptr<Buffer>> allocate(const std::shared_ptr<Memory>& memory,
                                                  std::int64_t bytes);
  void release(std::int64_t bytes) { live_bytes_.fetch_sub(bytes); }
  std::int64_t allocations() const { return allocations_.load(); }
  std::int64_t live_bytes() const { return live_bytes_.load(); }
  std::int64_t peak_bytes() const { return peak_bytes_.load(); }

 private:
  Status take(std::int64_t bytes);

  const std::int64_t budget_bytes_;
  const std::int64_t allocation_bytes_max_;
  const std::int64_t fail_allocation_at_;
  std::atomic<std::int64_t> allocations_{0};
  std::atomic<std::int64_t> live_bytes_{0};
  std::atomic<std::int64_t> peak_bytes_{0};
};

/// A buffer over bytes that `owner` keeps alive.
std::unique_ptr<Buffer> wrap_bytes(std::span<const std::byte> bytes,
                                   std::shared_ptr<const void> owner);

}  // namespace polaris::reference
