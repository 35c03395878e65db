#pragma once
#include <cstdint>

#include "backend/cpu/simd/simd.h"

namespace polaris::cpu {

/// How panels hold affine weights, scale * (code - zero): codes of 4 or 8 bits, a float32 scale and
/// minimum for each 32 or 16 of k.
enum class AffinePanels : std::uint8_t { kNone, kNibbles, kNibblesBy16, kBytes, kBytesBy16 };

QuantKernels affine_sse2(AffinePanels panels);
QuantKernels affine_avx2(AffinePanels panels);
QuantKernels affine_vnni(AffinePanels panels);

}  // namespace polaris::cpu
