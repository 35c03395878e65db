#include "base/turnstile.h"

#include <algorithm>

#include "base/os/clock.h"

namespace polaris {

void Turnstile::take() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = arrived_++;
  if (mine != serving_) {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    if (wanted_ns_ == 0) wanted_ns_ = monotonic_ns();
    next_turn_.wait(lock, [&] { return mine == serving_; });
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  since_ns_ = monotonic_ns();
  wanted_ns_ = waiting() > 0 ? since_ns_ : 0;
  holder_.store(this_thread_id(), std::memory_order_relaxed);
}

void Turnstile::give() {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (wanted_ns_ != 0) {
      const std::int64_t kept = monotonic_ns() - wanted_ns_;
      longest_ns_.store(std::max(kept, longest_ns()), std::memory_order_relaxed);
    }
    holder_.store(Thread::Id(), std::memory_order_relaxed);
    ++serving_;
    wake = waiting() > 0;
  }
  if (wake) next_turn_.notify_all();
}

bool Turnstile::should_give(std::int64_t next_ns) const {
  if (waiting() == 0) return false;
  return monotonic_ns() - since_ns_ + next_ns >= slice_ns_;
}

void Turnstile::offer(std::int64_t next_ns) {
  if (!should_give(next_ns)) return;
  given_.fetch_add(1, std::memory_order_relaxed);
  give();
  take();
}

}  // namespace polaris
