#pragma once
#include <cstdint>
#include <memory>

#include "backend/backend.h"

namespace polaris {

/// Pretended limits, for tests; 0 is none, or the machine's memory.
struct ReferenceOptions {
  std::int64_t memory_bytes = 0;
  std::int64_t allocation_bytes_max = 0;
  std::int64_t binding_bytes_max = 0;
  std::int64_t fail_allocation_at = 0;  // the n-th allocation (from 1) fails
};

/// The device that runs OpDef::reference on host memory: slow, and by definition right. submit()
/// runs to the end before it returns.
std::unique_ptr<Device> make_reference_device(const ReferenceOptions& options = {});

}  // namespace polaris
