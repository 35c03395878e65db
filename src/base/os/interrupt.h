#pragma once

namespace polaris {

/// While it lives, the first Ctrl-C (SIGINT) or SIGTERM is noted and calls `on_interrupt(context)`;
/// the second ends the process as it would have without us. Old handlers return with the
/// destructor. One at a time in a process.
class InterruptGuard {
 public:
  /// `on_interrupt` runs in a signal handler: it may only store to lock-free atomics
  /// (CancelToken::cancel does).
  using Handler = void (*)(void* context);
  explicit InterruptGuard(Handler on_interrupt = nullptr, void* context = nullptr);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const;
  /// Whether there was one, which is then forgotten: the next counts as the first.
  bool take();
  /// Whether one was a SIGTERM, taken or not: somebody wants the process to end.
  bool terminated() const;
};

}  // namespace polaris
