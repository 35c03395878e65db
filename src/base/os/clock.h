#pragma once
#include <cstdint>

namespace polaris {

/// Nanoseconds of a clock that never goes back; only differences mean something.
std::int64_t monotonic_ns();
/// Milliseconds since `start_ns`, a value of monotonic_ns().
inline double elapsed_ms(std::int64_t start_ns) {
  return static_cast<double>(monotonic_ns() - start_ns) * 1e-6;
}
/// Lets the calling thread rest for about that long.
void sleep_ns(std::int64_t ns);
/// Milliseconds since 1970-01-01 UTC.
std::int64_t unix_time_ms();

}  // namespace polaris
