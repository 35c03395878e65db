#pragma once
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

#include "backend/backend.h"

namespace polaris {

/// Runs that follow each other on every device: one begins on a device when the run before it has
/// given that device all its work, and after that work. So the parts of one step write caches in
/// their order, while they are at different devices at the same time. Runs are numbered in the
/// order in which they are submitted. Thread-safe.
class RunOrder {
 public:
  RunOrder(std::size_t runs, std::size_t devices);

  /// Waits until the run before has left the device; what the run's work there has to come after.
  /// Errors: cancelled (by `cancel`, or since the run before failed).
  Result<Fence> enter(std::size_t run, std::size_t device, const CancelToken* cancel);
  /// `last`: of the run's work on the device.
  void leave(std::size_t run, std::size_t device, Fence last);
  /// The run leaves what it has not left. After a failure no later run enters anything.
  void end(std::size_t run, bool ok);

 private:
  struct Place {
    bool left = false;
    Fence last;
  };
  Place& place(std::size_t run, std::size_t device) { return places_[run * devices_ + device]; }

  const std::size_t devices_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::vector<Place> places_;
  bool failed_ = false;
};

}  // namespace polaris
