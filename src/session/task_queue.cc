#include "session/task_queue.h"

#include <algorithm>
#include <utility>

namespace polaris {

TaskQueue::~TaskQueue() {
  drop_waiting();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (Thread& thread : threads_) thread.join();
}

Status TaskQueue::add_thread() {
  if (static_cast<int>(threads_.size()) >= thread_count_) return Status::success();
  threads_.reserve(static_cast<std::size_t>(thread_count_));
  auto thread = Thread::start([this] { work(); });
  if (thread) threads_.push_back(thread.take());
  // Fewer threads than wanted only make tasks wait longer.
  return threads_.empty() ? Status(thread.error()) : Status::success();
}

Status TaskQueue::post(Task run, Task drop) {
  {
    const std::lock_guard lock(mutex_);
    if (auto status = add_thread(); !status) return status;
    tasks_.push_back({std::move(run), std::move(drop)});
  }
  wake_.notify_one();
  return Status::success();
}

void TaskQueue::drop_waiting() {
  while (true) {
    Task drop;
    {
      const std::lock_guard lock(mutex_);
      const auto at = std::find_if(tasks_.begin(), tasks_.end(),
                                   [](const Entry& entry) { return entry.drop != nullptr; });
      if (at == tasks_.end()) return;
      drop = std::move(at->drop);
      tasks_.erase(at);
    }
    drop();
  }
}

void TaskQueue::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Entry task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task.run();
    task = {};  // what it held is let go before the next is awaited
    lock.lock();
  }
}

}  // namespace polaris
