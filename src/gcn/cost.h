#pragma once
#include "gcn/instruction.h"

namespace polaris::gcn {

/// Cycles that a vector instruction keeps its SIMD: 4 at full rate (64 lanes on 16), 16 for what
/// runs at a quarter of it, 64 for doubles at a sixteenth. Source: AMD's rates for chips whose
/// doubles run at 1/16 (GCN white paper; the instruction classes of the reference guide), and that
/// v_fma_f32 runs at a quarter there.
int valu_cycles(const Op& op);

}  // namespace polaris::gcn
