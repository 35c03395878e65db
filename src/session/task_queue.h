#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace polaris {

/// Runs tasks in order of arrival on a few threads, started with the first task.
class TaskQueue {
 public:
  explicit TaskQueue(int threads) : thread_count_(threads) {}
  /// Finishes what was posted.
  ~TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;
  void post(std::function<void()> task);

 private:
  void work();
  int thread_count_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  bool stop_ = false;
};

}  // namespace polaris
