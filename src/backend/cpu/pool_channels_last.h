#pragma once
#include "backend/cpu/kernel.h"

namespace polaris::cpu {

/// MaxPool, AveragePool and the global pools with their operands channels-last: one pass over the
/// taps of a position for all its channels.
KernelResult channels_last_pool(const CpuTarget& target, const NodeDesc& node);

}  // namespace polaris::cpu
