#pragma once
#include "backend/cpu/kernel.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {

/// ConvTranspose of row-major float32, `geometry` being conv_transpose_geometry's: a product of
/// weights and positions of X gives what each position adds to Y at each tap.
KernelResult transposed_conv(const CpuTarget& target, const NodeDesc& node,
                             const ConvGeometry& geometry);

}  // namespace polaris::cpu
