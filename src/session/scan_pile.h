#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "session/runtime.h"
#include "session/value_ref.h"

namespace polaris {

/// Counts what the rounds of control flow pile up as scan outputs. A file says how many iterations
/// there are, so there must be an end to it before memory ends.
class ScanPile {
 public:
  /// `label`: "[Op] ", for errors. `bytes_max` 0: half of what the device that holds the parts may
  /// use, since they are stacked in the end.
  ScanPile(Runtime& runtime, std::string label, std::int64_t bytes_max)
      : runtime_(runtime),
        label_(std::move(label)),
        bytes_max_(bytes_max),
        bytes_(static_cast<std::size_t>(runtime.device_count()) + 1, 0) {}
  /// Errors: exhausted, saying the limit.
  Status add(const ValueRef& part, std::int64_t trip);
  std::int64_t limit_of(DeviceIndex device) const;

 private:
  Runtime& runtime_;
  std::string label_;
  std::int64_t bytes_max_;
  std::vector<std::int64_t> bytes_;  // by device; last: the host
};

}  // namespace polaris
