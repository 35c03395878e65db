#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>

#include "backend/backend.h"
#include "base/os/thread.h"
#include "session/trace.h"

namespace polaris {

/// Sees when a device reaches fences while whoever submitted the work goes on, and tells a trace.
class TraceWatch {
 public:
  TraceWatch(Device& device, Trace& trace) : device_(device), trace_(trace) {}
  /// Waits until all that was added is told.
  ~TraceWatch();
  TraceWatch(const TraceWatch&) = delete;
  TraceWatch& operator=(const TraceWatch&) = delete;

  /// `event.begin_us`: when the work was submitted. It begins where the work before it ends.
  void add(Fence fence, TraceEvent event);

 private:
  struct Entry {
    Fence fence;
    TraceEvent event;
  };
  void watch();
  void tell(Entry entry);

  Device& device_;
  Trace& trace_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> entries_;
  bool stop_ = false;
  double last_end_us_ = 0;
  Thread thread_;
};

}  // namespace polaris
