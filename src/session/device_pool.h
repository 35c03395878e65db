#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "backend/backend.h"

namespace polaris {

class DevicePool;

/// A buffer borrowed from a DevicePool; given back by the destructor.
class Lease {
 public:
  Lease() = default;
  Lease(DevicePool* pool, std::unique_ptr<Buffer> buffer, MemoryKind kind);
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();
  Buffer* buffer() const { return buffer_.get(); }
  explicit operator bool() const { return buffer_ != nullptr; }

 private:
  void give_back();
  DevicePool* pool_ = nullptr;
  std::unique_ptr<Buffer> buffer_;
  MemoryKind kind_ = MemoryKind::kDevice;
};

/// Working memory of one device, shared by every program on it: arenas, step parameters, results.
/// A lease takes the smallest free buffer that is large enough, so that programs taking turns use
/// the same bytes; only when there is none is the device asked. Thread-safe.
class DevicePool {
 public:
  explicit DevicePool(Device& device) : device_(device) {}
  /// Errors: out_of_memory, after every free buffer was released and the device asked again.
  Result<Lease> lease(std::int64_t bytes, MemoryKind kind);
  /// Releases what nobody borrows.
  void trim();
  std::int64_t free_bytes() const;

 private:
  friend class Lease;
  struct Free {
    std::unique_ptr<Buffer> buffer;
    MemoryKind kind;
  };
  void give_back(std::unique_ptr<Buffer> buffer, MemoryKind kind);
  Device& device_;
  mutable std::mutex mutex_;
  std::vector<Free> free_;
};

}  // namespace polaris
