#pragma once
#include <cstdint>

namespace polaris {

/// Nanoseconds of processor time that the process has used, of all its threads.
std::int64_t process_cpu_ns();

}  // namespace polaris
