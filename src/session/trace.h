#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/os/clock.h"

namespace polaris {

/// One segment or transfer as it ran; times in microseconds of the monotonic clock.
struct TraceEvent {
  std::int64_t ticket = 0;
  std::int32_t device_index = 0;  // in the runtime's list
  std::string device;
  std::string what;  // "segment 0", "transfer", ...
  double begin_us = 0;
  double end_us = 0;
};

/// Collects events of all tickets that were given it. Thread-safe.
class Trace {
 public:
  void add(TraceEvent event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  std::vector<TraceEvent> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<TraceEvent> events_;
};

}  // namespace polaris
