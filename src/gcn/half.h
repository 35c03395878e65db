#pragma once
#include <bit>
#include <cstdint>

/// Conversions of 16-bit floats in the chip's two rounding modes that matter.
namespace polaris::gcn {

inline float half_to_float(std::uint32_t half) {
  const std::uint32_t sign = (half & 0x8000) << 16;
  const std::uint32_t rest = half & 0x7FFF;
  if (rest >= 0x7C00) {
    const std::uint32_t quiet = rest > 0x7C00 ? 0x400000 : 0;
    return std::bit_cast<float>(sign | 0x7F800000 | quiet | (rest & 0x3FF) << 13);
  }
  // 2^-24 steps below the smallest normal number; the product is exact.
  if (rest < 0x400) {
    return std::bit_cast<float>(sign |
                                std::bit_cast<std::uint32_t>(static_cast<float>(rest) * 0x1p-24F));
  }
  return std::bit_cast<float>(sign | ((rest << 13) + 0x38000000));
}

/// `toward_zero`: truncates and never makes an infinity of a number.
inline std::uint32_t float_to_half(float value, bool toward_zero) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  const std::uint32_t rest = bits & 0x7FFFFFFF;
  if (rest > 0x7F800000) return sign | 0x7E00 | ((rest >> 13) & 0x3FF);
  if (rest == 0x7F800000) return sign | 0x7C00;
  const int exponent = static_cast<int>(rest >> 23) - 127;
  if (exponent > 15) return sign | (toward_zero ? 0x7BFF : 0x7C00);
  if (exponent < -25) return sign;
  const std::uint32_t mantissa = (rest & 0x7FFFFF) | (rest >= 0x800000 ? 0x800000 : 0);
  const int drop = exponent < -14 ? 13 + (-14 - exponent) : 13;
  std::uint32_t kept = mantissa >> drop;
  const std::uint32_t lost = mantissa & ((1U << drop) - 1);
  const std::uint32_t half_step = 1U << (drop - 1);
  if (!toward_zero && (lost > half_step || (lost == half_step && (kept & 1) != 0))) ++kept;
  // The hidden bit of a normal number adds one to the exponent below, as does a carry out of it.
  const std::uint32_t base = exponent < -14 ? 0 : static_cast<std::uint32_t>(exponent + 14) << 10;
  return sign | (base + kept);
}

}  // namespace polaris::gcn
