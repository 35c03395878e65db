#pragma once
#include "backend/cpu/conv_epilogue.h"
#include "backend/cpu/kernel.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {

/// float32 Conv with one input and one output channel a group, X and Y channels-last; `packed`:
/// weights are packed when the model is loaded.
KernelResult channels_last_depthwise(const CpuTarget& target, const ConvGeometry& geometry,
                                     const ConvEpilogue& epilogue, bool packed);

}  // namespace polaris::cpu
