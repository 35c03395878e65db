#pragma once
#include <cstdint>
#include <memory>

#include "session/runtime.h"

namespace polaris::cli {

/// What a device reaches on the two simplest jobs: the yardstick of `polaris bench`.
struct DeviceLimit {
  double bytes_per_ms = 0;  // a large copy within the device, bytes read and written
  double flops_per_ms = 0;  // a square float32 MatMul

  /// The part of the nearer limit that work of this size and time comes to; 0 where none is known.
  double share(std::int64_t flops, std::int64_t bytes, double ms) const;
};

/// Measures the runtime's first device, within about a second. Errors: out_of_memory, device.
Result<DeviceLimit> measure_limit(const std::shared_ptr<Runtime>& runtime);

}  // namespace polaris::cli
