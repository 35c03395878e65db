#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/os/cpu_features.h"
#include "base/os/thread.h"

namespace polaris {
namespace {

// About 50 us on current machines: longer than the gap between two kernels of a plan.
constexpr int kSpins = 2000;

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The loop's state in one word, so that joining is one compare-and-swap: epoch, open, joined.
constexpr std::uint64_t kJoinedMask = 0x7FFFFFFFu;
constexpr std::uint64_t kOpen = 0x80000000u;
std::uint32_t epoch_of(std::uint64_t state) { return static_cast<std::uint32_t>(state >> 32); }

}  // namespace

struct ThreadPool::Impl {
  Impl(int threads, std::int64_t slice_ns) : turnstile(slice_ns) {
    workers.reserve(static_cast<std::size_t>(threads - 1));
    for (int i = 1; i < threads; ++i) {
      auto worker = Thread::start([this, i] { work(i); });
      if (!worker) break;
      workers.push_back(worker.take());
    }
    total = static_cast<int>(workers.size()) + 1;
  }
  ~Impl() {
    {
      const std::lock_guard lock(sleep_mutex);
      stop.store(true);
    }
    wake.notify_all();
    for (Thread& worker : workers) worker.join();
  }

  // The index of the calling thread if it is inside a loop of this pool, or -1.
  int index_inside() const {
    const Thread::Id self = this_thread_id();
    if (caller.load(std::memory_order_relaxed) == self) return 0;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      if (workers[i].id() == self) return static_cast<int>(i) + 1;
    }
    return -1;
  }

  void run_ranges(int index) {
    for (;;) {
      const std::int64_t range = next.fetch_add(1, std::memory_order_relaxed);
      if (range >= ranges) return;
      const std::int64_t begin = range * grain;
      (*body)(begin, std::min(begin + grain, count), index);
      // Only the holder of the turn can give it; the others then find no further range.
      if (index == 0 && turnstile.should_give()) stop_handing_out();
    }
  }

  void stop_handing_out() {
    const std::int64_t handed = next.exchange(ranges, std::memory_order_relaxed);
    resume_at = std::min(handed, ranges);
  }

  bool joinable(std::uint64_t now, std::uint32_t seen) const {
    return (now & kOpen) != 0 && epoch_of(now) != seen;
  }

  // Waits for a loop this worker has not seen; false when the pool ends.
  bool wait_for_loop(std::uint32_t seen) {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (joinable(state.load(std::memory_order_acquire), seen)) return true;
      if (stop.load(std::memory_order_relaxed)) return false;
      relax();
    }
    std::unique_lock lock(sleep_mutex);
    sleepers.fetch_add(1);
    wake.wait(lock, [&] { return stop.load() || joinable(state.load(), seen); });
    sleepers.fetch_sub(1);
    return !stop.load();
  }

  void work(int index) {
    std::uint32_t seen = 0;
    while (wait_for_loop(seen)) {
      std::uint64_t now = state.load(std::memory_order_acquire);
      while (joinable(now, seen)) {
        if (state.compare_exchange_weak(now, now + 1, std::memory_order_acq_rel)) {
          seen = epoch_of(now);
          run_ranges(index);
          state.fetch_sub(1, std::memory_order_release);
          break;
        }
      }
    }
  }

  void share(std::int64_t loop_count, std::int64_t loop_grain, std::int64_t loop_ranges,
             const Body& loop_body) {
    const bool held = turnstile.held_by_me();
    if (!held) turnstile.take();
    for (std::int64_t first = 0; first < loop_ranges;) {
      if (first > 0) turnstile.offer();
      // Others may have used the pool between two parts of the loop.
      count = loop_count;
      grain = loop_grain;
      ranges = loop_ranges;
      body = &loop_body;
      first = run_from(first);
    }
    if (!held) turnstile.give();
  }

  /// Runs ranges from `first` on, all of them or until the turn is to be offered; returns the first
  /// that did not run.
  std::int64_t run_from(std::int64_t first) {
    caller.store(this_thread_id(), std::memory_order_relaxed);
    resume_at = ranges;
    next.store(first, std::memory_order_relaxed);
    const std::uint64_t epoch = epoch_of(state.load(std::memory_order_relaxed)) + 1u;
    state.store((epoch << 32) | kOpen);
    if (sleepers.load() > 0) {
      {
        const std::lock_guard lock(sleep_mutex);
      }
      for (std::int64_t i = std::min<std::int64_t>(ranges - first - 1, total - 1); i > 0; --i) {
        wake.notify_one();
      }
    }
    run_ranges(0);
    // Once closed nobody joins; those inside finish their last range.
    std::uint64_t now = state.fetch_and(~kOpen, std::memory_order_acq_rel);
    for (int spin = 0; (now & kJoinedMask) != 0; ++spin) {
      if (spin < kSpins) {
        relax();
      } else {
        std::this_thread::yield();
      }
      now = state.load(std::memory_order_acquire);
    }
    caller.store(Thread::Id(), std::memory_order_relaxed);
    return resume_at;
  }

  /// The whole loop on the calling thread, which is inside a loop already or has no one to share it
  /// with.
  void run_inline(std::int64_t loop_count, std::int64_t loop_grain, const Body& loop_body,
                  int index) {
    const bool may_give = index < 0 && turnstile.held_by_me();
    for (std::int64_t begin = 0; begin < loop_count;) {
      if (may_give && begin > 0) turnstile.offer();
      const std::int64_t end = begin + std::min(loop_grain, loop_count - begin);
      loop_body(begin, end, std::max(index, 0));
      begin = end;
    }
  }

  Turnstile turnstile;
  int total = 1;
  std::atomic<std::uint64_t> state{0};
  std::atomic<std::int64_t> next{0};
  std::int64_t count = 0;
  std::int64_t grain = 1;
  std::int64_t ranges = 0;
  const Body* body = nullptr;
  std::int64_t resume_at = 0;  // the holder's own

  std::atomic<Thread::Id> caller{};
  std::mutex sleep_mutex;
  std::condition_variable wake;
  std::atomic<int> sleepers{0};
  std::atomic<bool> stop{false};
  std::vector<Thread> workers;
};

ThreadPool::ThreadPool(int threads, std::int64_t slice_ns) {
  const int wanted = threads > 0 ? threads : usable_processors();
  impl_ = std::make_unique<Impl>(std::clamp(wanted, 1, kThreadsMax), slice_ns);
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const { return impl_->total; }

void ThreadPool::parallel_for(std::int64_t count, std::int64_t grain, Body body) {
  if (count <= 0) return;
  grain = std::max<std::int64_t>(grain, 1);
  const std::int64_t ranges = count / grain + (count % grain != 0 ? 1 : 0);
  // Without workers nobody is ever inside: the turn can be offered between all ranges.
  const int index = impl_->total == 1 ? -1 : impl_->index_inside();
  if (index >= 0 || impl_->total == 1 || ranges == 1) {
    impl_->run_inline(count, grain, body, index);
    return;
  }
  impl_->share(count, grain, ranges, body);
}

Turnstile& ThreadPool::turnstile() const { return impl_->turnstile; }

}  // namespace polaris
