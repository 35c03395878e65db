#pragma once
#include <cstdint>

#include "ir/op_util/quantize.h"

namespace polaris::cpu {

/// As quantize_value of ir/op_util/quantize.h, bit for bit, in a form that compilers vectorize:
/// adding 1.5 * 2^23 rounds to nearest even because no fraction bit is left.
inline std::int32_t round_even(float v) {
  constexpr float kFar = 1 << 20;
  constexpr float kMagic = 12582912.0f;
  v = v < kFar ? v : kFar;
  v = v > -kFar ? v : -kFar;
  return static_cast<std::int32_t>((v + kMagic) - kMagic);
}
inline std::int32_t quantize_fast(float v, std::int32_t zero_point, QuantRange range) {
  const std::int32_t q = (v == v ? round_even(v) : 0) + zero_point;
  const std::int32_t raised = q < range.low ? range.low : q;
  return raised > range.high ? range.high : raised;
}

}  // namespace polaris::cpu
