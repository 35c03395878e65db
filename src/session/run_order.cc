#include "session/run_order.h"

#include <chrono>

namespace polaris {
namespace {

// Cancelling wakes nobody.
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

RunOrder::RunOrder(std::size_t runs, std::size_t devices)
    : devices_(devices), places_(runs * devices) {}

Result<Fence> RunOrder::enter(std::size_t run, std::size_t device, const CancelToken* cancel) {
  std::unique_lock lock(mutex_);
  while (!failed_) {
    if (run == 0) return Fence{};
    const Place& before = place(run - 1, device);
    if (before.left) return before.last;
    if (cancel != nullptr && cancel->cancelled())
      return Error::cancelled("[run] stopped on request");
    moved_.wait_for(lock, kLook);
  }
  return Error::cancelled("[run] a part of the step before this one failed");
}

void RunOrder::leave(std::size_t run, std::size_t device, Fence last) {
  const std::lock_guard lock(mutex_);
  place(run, device) = {true, last};
  moved_.notify_all();
}

void RunOrder::end(std::size_t run, bool ok) {
  const std::lock_guard lock(mutex_);
  failed_ = failed_ || !ok;
  // Nothing of it is under way any more.
  for (std::size_t d = 0; d < devices_; ++d) place(run, d).left = true;
  moved_.notify_all();
}

}  // namespace polaris
