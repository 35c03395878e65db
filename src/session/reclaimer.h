#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace polaris {

/// Something that keeps device memory for later and can let it go: a program's plans. Called while
/// memory is being leased, by any thread: it must not take a lock under which memory is leased.
class Reclaimer {
 public:
  virtual ~Reclaimer() = default;
  /// The tick of the last use of what would go first; nothing where all is in use.
  virtual std::optional<std::uint64_t> oldest_idle() const = 0;
  /// Lets that go; false where there is nothing.
  virtual bool drop_oldest_idle() = 0;
};

/// All reclaimers of a runtime, and the clock they tell last uses by. Thread-safe.
class ReclaimList {
 public:
  std::uint64_t tick() { return ticks_.fetch_add(1, std::memory_order_relaxed) + 1; }
  void add(Reclaimer& reclaimer);
  void remove(Reclaimer& reclaimer);
  /// Of all that is idle, the one used longest ago goes; false where all is in use.
  bool drop_oldest_idle();
  std::int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> ticks_{0};
  std::atomic<std::int64_t> dropped_{0};
  std::mutex mutex_;
  std::vector<Reclaimer*> reclaimers_;
};

}  // namespace polaris
