#pragma once
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "backend/backend.h"
#include "base/hash.h"
#include "plan/plan.h"
#include "session/memory_manager.h"

namespace polaris {

/// A weight in one device's memory, in the layout its kernels want.
struct PackedWeight {
  std::shared_ptr<Buffer> buffer;  // keeps its lease
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  bool mapped = false;  // takes no memory of its own
  BufferView view() const { return {buffer.get(), offset, bytes}; }
};

class WeightStore;

/// A program's ownership of the weights it got with it: they stay on the device as long as it
/// lives, also while no plan uses them, unless memory runs short.
class WeightClaim {
 public:
  WeightClaim() = default;
  WeightClaim(WeightClaim&& other) noexcept;
  WeightClaim& operator=(WeightClaim&& other) noexcept;
  ~WeightClaim() { release(); }

 private:
  friend class WeightStore;
  WeightClaim(WeightStore* store, std::uint64_t id) : store_(store), id_(id) {}
  void release();
  WeightStore* store_ = nullptr;
  std::uint64_t id_ = 0;
};

/// The weights on one device, one copy for equal content and layout, shared by all programs and
/// freed with the last of them. Each is brought by one thread, while only those that want the same
/// wait. Thread-safe.
class WeightStore final : public IdleWeights {
 public:
  WeightStore(MemoryManager& memory, ReclaimList& clock)
      : memory_(memory), device_(memory.device()), clock_(clock) {}
  WeightClaim claim();
  /// The weight, packed and uploaded now if it is not there. It lives with the claim, if there is
  /// one, else with what is returned. Where the device must copy, the source's pages are released
  /// afterwards, so that a file is never held twice. Errors: out_of_memory, device.
  Result<std::shared_ptr<const PackedWeight>> get(const WeightUse& use,
                                                  const WeightClaim* claim = nullptr);
  /// Device bytes that get() would add for `use`: 0 where it is there or the mapping serves.
  std::int64_t missing_bytes(const WeightUse& use);
  /// The weight if it is there, else null.
  std::shared_ptr<const PackedWeight> find(const WeightUse& use);
  std::int64_t drop_idle(std::int64_t bytes) override;

  std::int64_t live_bytes() const;
  std::int64_t live_count() const;
  /// Times that a weight was packed and brought, and that an idle one was let go.
  std::int64_t brought() const;
  std::int64_t dropped() const;

 private:
  friend class WeightClaim;
  using Key = std::tuple<Hash128, std::string>;
  using Weight = std::shared_ptr<const PackedWeight>;
  struct Entry {
    std::weak_ptr<const PackedWeight> weight;
    Weight kept;  // while claimed
    std::vector<std::uint64_t> claims;
    std::uint64_t used = 0;  // tick
    bool coming = false;     // it stays in the map until it came
  };
  class Coming;
  struct Known {
    std::weak_ptr<const Constant> constant;
    Hash128 hash;
  };
  Key key_of(const WeightUse& use);
  Hash128 hash_of(const std::shared_ptr<const Constant>& constant);
  void keep(Entry& entry, const Weight& weight, const WeightClaim* claim);
  void release(std::uint64_t claim);
  Result<PackedWeight> make(const WeightUse& use);
  Result<PackedWeight> place(std::int64_t bytes);
  Status fill(const WeightUse& use, const BufferView& view);
  bool maps_directly(const WeightUse& use) const;

  MemoryManager& memory_;
  Device& device_;
  ReclaimList& clock_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::map<Key, Entry> weights_;
  std::map<const Constant*, Known> hashes_;  // hashing a model takes a second: once per constant
  std::mutex growing_mutex_;                 // before slab_mutex_: held while a slab is leased
  std::mutex slab_mutex_;
  std::weak_ptr<Buffer> slab_;  // small weights share buffers
  std::int64_t slab_used_ = 0;
  std::uint64_t claims_ = 0;
  std::int64_t brought_ = 0;
  std::int64_t dropped_ = 0;
};

}  // namespace polaris
