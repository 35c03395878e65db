#pragma once
#include <cstdint>
#include <functional>

#include "backend/cpu/kernel.h"

namespace polaris::cpu {

/// What `select` offers for the node with its plain float16 and bfloat16 operands as float32, run
/// between conversions: operands are widened into the workspace, results rounded once on their way
/// out. Weights that the kernel packs are widened by its packing; states, which change in place,
/// and the inputs in `kept` (a bit each) stay as they are. Errors: unsupported (nothing to widen,
/// or what `select` says).
using SelectFn = std::function<KernelResult(const CpuTarget& target, const NodeDesc& node)>;
KernelResult select_widened(const CpuTarget& target, const NodeDesc& node, const SelectFn& select,
                            std::uint64_t kept = 0);

}  // namespace polaris::cpu
