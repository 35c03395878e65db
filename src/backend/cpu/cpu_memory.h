#pragma once
#include <atomic>
#include <cstdint>
#include <memory>

#include "backend/backend.h"

namespace polaris::cpu {

/// Host allocations under a budget, counted. Outlives its buffers.
class CpuMemory {
 public:
  struct Limits {
    std::int64_t budget_bytes = 0;
    std::int64_t allocation_bytes_max = 0;
    std::int64_t fail_allocation_at = 0;
  };
  explicit CpuMemory(const Limits& limits) : limits_(limits) {}

  Result<std::unique_ptr<Buffer>> allocate(std::int64_t bytes);
  void release(std::int64_t bytes) { live_bytes_.fetch_sub(bytes); }
  std::int64_t allocations() const { return allocations_.load(); }
  std::int64_t live_bytes() const { return live_bytes_.load(); }
  std::int64_t peak_bytes() const { return peak_bytes_.load(); }

 private:
  Limits limits_;
  std::atomic<std::int64_t> attempts_{0};
  std::atomic<std::int64_t> allocations_{0};
  std::atomic<std::int64_t> live_bytes_{0};
  std::atomic<std::int64_t> peak_bytes_{0};
};

/// Read-only bytes owned by somebody else.
std::unique_ptr<Buffer> wrap_bytes(std::span<const std::byte> bytes,
                                   std::shared_ptr<const void> owner);

}  // namespace polaris::cpu
