#pragma once
#include <atomic>
#include <cstdint>

namespace polaris {

/// Bytes of values that crossed between the host and one device since the runtime was made: inputs,
/// outputs, states, and what goes through the host from one device to another. Weights are not
/// counted.
struct Traffic {
  std::atomic<std::int64_t> to_device{0};
  std::atomic<std::int64_t> from_device{0};
};

}  // namespace polaris
