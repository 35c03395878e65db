#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/os/thread.h"

namespace polaris {

/// One holder at a time, in order of arrival. Whoever holds it long offers it now and then: where
/// somebody waits and the holder's slice is used up, it goes to the one who waits longest.
class Turnstile {
 public:
  /// A holder keeps its turn for `slice_ns` before an offer gives it away; 0: every offer does.
  explicit Turnstile(std::int64_t slice_ns) : slice_ns_(slice_ns) {}
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;

  void take();
  void give();
  bool held_by_me() const { return holder_.load(std::memory_order_relaxed) == this_thread_id(); }
  /// Whether the holder, who asks, should let others go first: somebody waits, and what was held
  /// already and `next_ns` more would be over the slice.
  bool should_give(std::int64_t next_ns = 0) const;
  /// Gives the turn to those who wait and takes it again, if should_give(). For the holder.
  void offer(std::int64_t next_ns = 0);

  int waiting() const { return waiting_.load(std::memory_order_relaxed); }
  /// Turns that were given away before their holder was done.
  std::int64_t given() const { return given_.load(std::memory_order_relaxed); }
  /// The longest that somebody had to wait for one holder.
  std::int64_t longest_ns() const { return longest_ns_.load(std::memory_order_relaxed); }

 private:
  const std::int64_t slice_ns_;
  std::mutex mutex_;
  std::condition_variable next_turn_;
  std::uint64_t arrived_ = 0;
  std::uint64_t serving_ = 0;
  std::int64_t since_ns_ = 0;   // of the holder's turn; the holder's own
  std::int64_t wanted_ns_ = 0;  // since when somebody waits for this holder; 0: nobody
  std::atomic<Thread::Id> holder_{};
  std::atomic<int> waiting_{0};
  std::atomic<std::int64_t> given_{0};
  std::atomic<std::int64_t> longest_ns_{0};
};

/// Holds the turnstile for a scope.
class Turn {
 public:
  explicit Turn(Turnstile& turnstile) : turnstile_(turnstile) { turnstile_.take(); }
  ~Turn() { turnstile_.give(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turnstile& turnstile_;
};

}  // namespace polaris
