#pragma once
#include "backend/cpu/conv_epilogue.h"
#include "backend/cpu/kernel.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {

/// float32 Conv with X and Y channels-last: [position][channel] rows times weights as columns.
KernelResult channels_last_conv(const CpuTarget& target, const NodeDesc& node,
                                const ConvGeometry& geometry, const ConvEpilogue& epilogue);

}  // namespace polaris::cpu
