#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "base/os/thread.h"

namespace polaris {

/// Runs tasks in order of arrival on a few threads, started as tasks come.
class TaskQueue {
 public:
  using Task = std::function<void()>;

  explicit TaskQueue(int threads) : thread_count_(threads) {}
  /// Waits for tasks that run. Those that have not begun are dropped if they can be, else run.
  ~TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  /// `drop` is called in place of `run` where the task never begins. Neither may throw.
  /// Errors: exhausted where the system gives not one thread; nothing was posted then.
  Status post(Task run, Task drop = nullptr);
  /// Drops what was posted with a `drop` and has not begun.
  void drop_waiting();

 private:
  struct Entry {
    Task run;
    Task drop;
  };
  Status add_thread();
  void work();

  const int thread_count_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> tasks_;
  std::vector<Thread> threads_;
  bool stop_ = false;
};

}  // namespace polaris
