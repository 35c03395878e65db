#include "backend/vulkan/device/core.h"

namespace polaris::vulkan {

Status ComputeHardware::wait_any(std::uint64_t value, std::uint64_t copies) {
  Timeline::Point points[3];
  std::size_t count = 0;
  points[count++] = {&device_.wake(), noticed_.load() + 1};
  if (value != 0) points[count++] = {&device_.compute().timeline(), value};
  if (copies != 0) points[count++] = {&device_.copies().timeline(), copies};
  const Status status = Timeline::wait_any({points, count});
  noticed_.store(device_.wake().value());
  return status;
}

Core::~Core() {
  turns.close();
  if (device->handle() != VK_NULL_HANDLE) device->api().DeviceWaitIdle(device->handle());
}

void Core::note_unit(double us) {
  const auto rounded = static_cast<std::int64_t>(us);
  std::int64_t longest = longest_unit_us.load(std::memory_order_relaxed);
  while (longest < rounded && !longest_unit_us.compare_exchange_weak(longest, rounded)) {
  }
}

void Core::note_slow(std::string_view node, std::string_view kernel, double us) {
  const std::lock_guard lock(slow_mutex_);
  if (us <= slow_us_) return;
  slow_us_ = us;
  slow_ = "node '" + std::string(node) + "', kernel " + std::string(kernel) + ": " +
          std::to_string(static_cast<std::int64_t>(us / 1000)) + " ms in one piece";
}

std::string Core::slow_kernel() const {
  const std::lock_guard lock(slow_mutex_);
  return slow_;
}

Status Core::wait(const Fence& fence) {
  if (fence.value == 0) return Status::success();
  return fence.queue == kCopies ? device->copies().wait(fence.value) : turns.wait(fence.value);
}

}  // namespace polaris::vulkan
