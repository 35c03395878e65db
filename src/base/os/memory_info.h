#pragma once
#include <cstdint>

namespace polaris {

/// Memory of the machine, or of the container where that allows less. 0 where unknown.
struct HostMemory {
  std::int64_t total_bytes = 0;
  std::int64_t available_bytes = 0;
};
HostMemory host_memory();

/// Resident memory of this process now and at its highest. `anonymous_bytes` leaves out pages of
/// mapped files. 0 where unknown.
struct ProcessMemory {
  std::int64_t resident_bytes = 0;
  std::int64_t anonymous_bytes = 0;
  std::int64_t peak_bytes = 0;
};
ProcessMemory process_memory();

/// Starts peak_bytes anew from what is resident now; false where the system cannot.
bool reset_peak_memory();

}  // namespace polaris
