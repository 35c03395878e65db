#include "session/trace_watch.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/os/clock.h"

namespace polaris {

TraceWatch::~TraceWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void TraceWatch::add(Fence fence, TraceEvent event) {
  {
    std::unique_lock lock(mutex_);
    if (thread_.id() == Thread::Id()) {
      auto thread = Thread::start([this] { watch(); });
      if (!thread) {
        lock.unlock();
        return tell({fence, std::move(event)});  // without a thread the caller waits
      }
      thread_ = thread.take();
    }
    entries_.push_back({fence, std::move(event)});
  }
  wake_.notify_one();
}

void TraceWatch::watch() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !entries_.empty(); });
    if (entries_.empty()) return;
    Entry entry = std::move(entries_.front());
    entries_.pop_front();
    lock.unlock();
    tell(std::move(entry));
    lock.lock();
  }
}

void TraceWatch::tell(Entry entry) {
  // Whether the work failed is for those who wait for its result.
  (void)device_.wait(entry.fence).ok();
  entry.event.begin_us = std::max(entry.event.begin_us, last_end_us_);
  entry.event.end_us = last_end_us_ = static_cast<double>(monotonic_ns()) * 1e-3;
  try {
    trace_.add(std::move(entry.event));
  } catch (const std::bad_alloc&) {
    // A trace that lacks an event is better than a run that fails for it.
  }
}

}  // namespace polaris
