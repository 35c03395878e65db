#pragma once
#include <cstdint>

#include "backend/cpu/kernel.h"
#include "backend/cpu/simd/simd.h"
#include "ir/op_attrs/conv.h"

namespace polaris::cpu {

/// What polaris.FusedConv does to the sums of a convolution; for Conv, nothing.
struct ConvEpilogue {
  const Simd* simd = nullptr;
  bool clamps = false;  // between low and high, which tiles do by themselves
  float low = 0;
  float high = 0;
  Simd::UnaryFn function = nullptr;  // of p and q, over what tiles leave
  float p = 0;
  float q = 0;

  /// For tiles of sums to which `add` (null: nothing) is added.
  SumFinish tile(const float* add) const { return {add, clamps, low, high}; }
  /// The function alone.
  void apply(float* y, std::int64_t n) const {
    if (function != nullptr) function(y, y, n, p, q);
  }
  /// All of it, over sums that no tile has finished.
  void finish(const float* add, float* y, std::int64_t n) const;
};

/// Of a Conv or a polaris.FusedConv.
const ConvAttrs& conv_attrs(const NodeDesc& node);
ConvEpilogue conv_epilogue(const CpuTarget& target, const NodeDesc& node);

inline constexpr int kConvResidual = 3;  // polaris.FusedConv's Z

}  // namespace polaris::cpu
