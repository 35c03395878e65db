#pragma once
#include <functional>
#include <thread>

#include "base/result.h"

namespace polaris {

/// A thread that its destructor joins. The only way to start one here: the system may refuse it.
class Thread {
 public:
  using Id = std::thread::id;

  Thread() = default;
  Thread(Thread&& other) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { join(); }

  /// Runs `body`, which must not throw. Errors: exhausted where the system gives no thread;
  /// nothing ran then.
  static Result<Thread> start(std::function<void()> body);

  void join();
  Id id() const { return thread_.get_id(); }

 private:
  explicit Thread(std::thread thread) : thread_(std::move(thread)) {}
  std::thread thread_;
};

inline Thread::Id this_thread_id() { return std::this_thread::get_id(); }

}  // namespace polaris
