#pragma once
#include <cstdint>
#include <memory>

#include "base/function_ref.h"
#include "base/turnstile.h"

namespace polaris {

/// A fixed set of threads that share loops. Idle workers spin for some tens of microseconds, so
/// that back-to-back kernels start at once, and then sleep.
///
/// Callers take turns at it (turnstile()). One that has much to run holds the turn over many loops
/// and offers it between them; a long loop offers it by itself, between two of its ranges.
class ThreadPool {
 public:
  /// `threads` counts the caller, so 1 makes no thread at all; 0 means one per physical processor
  /// the process may use. At most kThreadsMax. Where the system refuses a thread, the pool works
  /// with those it got. `slice_ns`: how long a caller keeps its turn while others wait.
  explicit ThreadPool(int threads = 0, std::int64_t slice_ns = kSliceNs);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  static constexpr int kThreadsMax = 256;
  static constexpr std::int64_t kSliceNs = 40'000'000;

  /// Threads that take part in a loop, the caller included.
  int threads() const;

  /// begin, end of a range, and the index in [0, threads()) of the thread that runs it: ranges of
  /// one loop that run at the same time have different indices, so it may pick a scratch buffer.
  using Body = FunctionRef<void(std::int64_t begin, std::int64_t end, int worker)>;

  /// Runs `body` over [0, count) in ranges of `grain` (>= 1; the last may be shorter) and returns
  /// when all are done. Which thread runs a range is a matter of timing: a result must not depend
  /// on it. A call from inside a body runs inline; calls from several threads take turns. Never
  /// allocates. The body must not throw.
  void parallel_for(std::int64_t count, std::int64_t grain, Body body);

  Turnstile& turnstile() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace polaris
