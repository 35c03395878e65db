#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "backend/backend.h"
#include "base/result.h"

namespace polaris {

/// How the cpu device is set up; the defaults are what users get.
struct CpuOptions {
  int threads = 0;                // 0: one per usable core
  std::string isa_max;            // "", "sse2", "avx2", "avx512", "vnni": use no more than this
  std::int64_t memory_bytes = 0;  // 0: the machine's
  std::int64_t budget_bytes = 0;  // 0: memory_bytes
  std::int64_t allocation_bytes_max = 0;  // 0: no limit but the budget
  std::int64_t fail_allocation_at = 0;    // n > 0: the n-th allocation fails (tests)
  /// How long a run keeps the device while others wait; < 0: a unit, less what ends late.
  std::int64_t slice_us = -1;
};

/// The device that runs everything, on host memory. submit() runs to the end before it returns.
/// Errors: invalid (an unknown isa_max), unsupported (the processor lacks it).
Result<std::unique_ptr<Device>> make_cpu_device(const CpuOptions& options);

}  // namespace polaris
