#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "session/reclaimer.h"

namespace polaris {

class MemoryManager;

/// What memory is for; errors say who holds how much.
enum class MemoryOwner : std::uint8_t {
  kWorking,  // arenas, uploads, results: goes back to the free pool
  kWeights,
  kCache,  // of keys and values
  kState,  // of sessions
};
inline constexpr std::size_t kMemoryOwnerCount = 4;

/// A buffer borrowed from a MemoryManager; given back by the destructor.
class Lease {
 public:
  Lease() = default;
  Lease(MemoryManager* manager, std::unique_ptr<Buffer> buffer, MemoryKind kind, MemoryOwner owner);
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();
  Buffer* buffer() const { return buffer_.get(); }
  explicit operator bool() const { return buffer_ != nullptr; }

 private:
  void give_back();
  MemoryManager* manager_ = nullptr;
  std::unique_ptr<Buffer> buffer_;
  MemoryKind kind_ = MemoryKind::kDevice;
  MemoryOwner owner_ = MemoryOwner::kWorking;
};

/// Weights that no plan uses at the moment, kept for when one does.
class IdleWeights {
 public:
  virtual ~IdleWeights() = default;
  /// Lets weights of at least `bytes` go if there are so many, those used longest ago first.
  /// Returns the bytes of those that went. As a Reclaimer, called while memory is leased.
  virtual std::int64_t drop_idle(std::int64_t bytes) = 0;
};

/// The memory of one device: all that programs and sessions have of it is leased here. A lease of
/// working memory takes the smallest free buffer that is large enough, so that programs taking
/// turns use the same bytes. Where the budget, asked again at each time, or the device refuses,
/// memory is let go in this order: free working memory, weights that no plan uses, then the plan
/// used longest ago, whose weights thus become idle, and so on. What runs is never touched.
/// Thread-safe.
class MemoryManager {
 public:
  MemoryManager(Device& device, ReclaimList& plans) : device_(device), plans_(plans) {}
  /// Whom to ask for weights; not while memory is leased.
  void set_weights(IdleWeights& weights) { weights_ = &weights; }

  /// Errors: out_of_memory, with what holds the memory.
  Result<Lease> lease(std::int64_t bytes, MemoryKind kind,
                      MemoryOwner owner = MemoryOwner::kWorking);
  /// Lets idle plans and weights go until `bytes` more would fit, free working memory counted as
  /// room. Errors: out_of_memory; where it is certain at once, nothing went.
  Status make_room(std::int64_t bytes);
  /// Releases free working memory.
  void trim();

  std::int64_t free_bytes() const;
  /// Leased at the moment.
  std::int64_t held_bytes(MemoryOwner owner) const;
  /// "weights 12 MiB, working memory 3 MiB": all that is leased or kept free.
  std::string holders() const;
  Device& device() { return device_; }
  /// What may be leased in all now: the device's budget without what it takes for itself.
  std::int64_t budget_bytes() const;

 private:
  friend class Lease;
  struct Free {
    std::unique_ptr<Buffer> buffer;
    MemoryKind kind;
  };
  std::atomic<std::int64_t>& held(MemoryOwner owner) {
    return held_[static_cast<std::size_t>(owner)];
  }
  Lease take_free(std::int64_t bytes, MemoryKind kind);
  Result<std::unique_ptr<Buffer>> try_allocate(std::int64_t bytes, MemoryKind kind,
                                               std::int64_t& missing);
  bool reclaim(std::int64_t bytes);
  bool reclaim_idle(std::int64_t bytes);
  bool trim(std::int64_t bytes);
  void give_back(std::unique_ptr<Buffer> buffer, MemoryKind kind, MemoryOwner owner);

  Device& device_;
  ReclaimList& plans_;
  IdleWeights* weights_ = nullptr;
  std::mutex allocate_mutex_;  // between looking at the budget and allocating
  mutable std::mutex mutex_;
  std::vector<Free> free_;  // in order of coming back
  std::array<std::atomic<std::int64_t>, kMemoryOwnerCount> held_ = {};
};

}  // namespace polaris
