#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "backend/backend.h"
#include "base/hash.h"
#include "plan/plan.h"

namespace polaris {

/// A weight in one device's memory, in the layout its kernels want.
struct PackedWeight {
  std::shared_ptr<Buffer> buffer;
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  BufferView view() const { return {buffer.get(), offset, bytes}; }
};

/// The weights on one device, one copy for equal content and layout, shared by all programs and
/// freed with the last of them. Thread-safe.
class WeightStore {
 public:
  explicit WeightStore(Device& device) : device_(device) {}
  /// The weight, packed and uploaded now if it is not there. Where the device must copy, the
  /// source's pages are released afterwards, so that a file is never held twice.
  /// Errors: out_of_memory, device.
  Result<std::shared_ptr<const PackedWeight>> get(const WeightUse& use);
  /// Device bytes that get() would add for `use`: 0 where it is there or the mapping serves.
  std::int64_t missing_bytes(const WeightUse& use);
  std::int64_t live_bytes() const;
  std::int64_t live_count() const;

 private:
  using Key = std::tuple<Hash128, std::string>;
  struct Known {
    std::weak_ptr<const Constant> constant;
    Hash128 hash;
  };
  Hash128 hash_of(const std::shared_ptr<const Constant>& constant);
  Result<PackedWeight> make(const WeightUse& use);
  Result<PackedWeight> place(std::int64_t bytes);
  bool maps_directly(const WeightUse& use) const;

  Device& device_;
  mutable std::mutex mutex_;
  std::map<Key, std::weak_ptr<const PackedWeight>> weights_;
  std::map<const Constant*, Known> hashes_;  // hashing a model takes a second: once per constant
  std::weak_ptr<Buffer> slab_;               // small weights share buffers
  std::int64_t slab_used_ = 0;
};

}  // namespace polaris
