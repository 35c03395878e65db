#include "base/os/processor_time.h"

#include <time.h>

namespace polaris {

std::int64_t process_cpu_ns() {
  timespec now{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) return 0;
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace polaris
