#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"

namespace polaris {

struct MemoryLimits {
  std::int64_t slab_bytes_max = 0;  // one allocation of the device
  std::int64_t alignment_bytes = 64;
};

/// Gives every root kArena storage of `device` a slab and an offset such that storages whose
/// lifetimes overlap share no byte: up to a few thousand greedily by size (Pisarchyk and Lee,
/// 2020, "Efficient Memory Management for Deep Neural Net Inference"), more in the order in which
/// they come to life, which takes near linear time.
/// Returns the slabs' sizes. Errors: out_of_memory where one storage exceeds slab_bytes_max.
Result<std::vector<std::int64_t>> plan_memory(std::span<Storage> storages, DeviceIndex device,
                                              const MemoryLimits& limits);

/// The largest sum of kArena storages of `device` that are alive in one step: no slabs are smaller.
std::int64_t live_bytes_max(std::span<const Storage> storages, DeviceIndex device);

}  // namespace polaris
