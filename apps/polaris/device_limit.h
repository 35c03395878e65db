#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/json_writer.h"
#include "session/runtime.h"

namespace polaris::cli {

/// What work reached of a device's limits: 1 is all of it.
struct LimitShare {
  double flops = 0;
  double bytes = 0;  // above 1 where the caches hold what the work touches
  /// Of the limit that is nearer.
  double nearer() const { return flops > bytes ? flops : bytes; }
};

/// What a device reaches at best: the yardstick of `polaris bench`. Measured by loops made for this
/// alone (backend/limit_ops.h), never by the kernels under test.
struct DeviceLimit {
  double flops_per_ms = 0;  // independent float32 multiply-adds in registers
  double bytes_per_ms = 0;  // reading, or copying where that is faster, of more than caches hold

  /// Of work of this size and time; 0 where nothing is known.
  LimitShare share(std::int64_t flops, std::int64_t bytes, double ms) const;
  /// "limit": {"flops_per_s", "bytes_per_s"}
  void write(JsonWriter& json) const;
  /// "peak 120.3 GFLOP/s (float32 multiply-adds), memory 11.2 GB/s"
  std::string text() const;
};

/// Measures the runtime's first device, within about half a second, once a process. Errors:
/// out_of_memory, device.
Result<DeviceLimit> measure_limit(const std::shared_ptr<Runtime>& runtime);

}  // namespace polaris::cli
