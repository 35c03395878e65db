#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ir/op_util/infer.h"

/// Integer arithmetic shared by references and kernels, so that all give the same bits.
namespace polaris {

/// One product of scales, rounded once: real output step per accumulator step.
inline float requantize_multiplier(double x_scale, double w_scale, double y_scale) {
  return static_cast<float>(x_scale * w_scale / y_scale);
}

/// Smallest and largest value of an integer type of at most 16 bits.
struct QuantRange {
  std::int32_t low = 0;
  std::int32_t high = 0;
};
constexpr QuantRange quant_range(DType dtype) {
  switch (dtype) {
    case DType::kI8: return {-128, 127};
    case DType::kI16: return {-32768, 32767};
    case DType::kU16: return {0, 65535};
    case DType::kI4: return {-8, 7};
    case DType::kU4: return {0, 15};
    case DType::kI2: return {-2, 1};
    case DType::kU2: return {0, 3};
    default: return {0, 255};
  }
}

/// saturate(round half to even(v) + zero_point); NaN counts as 0.
inline std::int32_t quantize_value(float v, std::int32_t zero_point, QuantRange range) {
  const float rounded = std::nearbyint(v);
  // Far outside every range, so that the sum below cannot overflow.
  constexpr float kFar = 1 << 20;
  const float bounded = std::isnan(rounded) ? 0.0f : std::clamp(rounded, -kFar, kFar);
  return std::clamp(static_cast<std::int32_t>(bounded) + zero_point, range.low, range.high);
}
inline std::int32_t requantize(std::int32_t accumulator, float multiplier, std::int32_t zero_point,
                               QuantRange range) {
  return quantize_value(static_cast<float>(accumulator) * multiplier, zero_point, range);
}

/// Which scale an element of a quantized tensor uses: one for all, one per index of an axis, or one
/// per block along the axis.
class ScaleIndex {
 public:
  ScaleIndex(const Shape& x, const Shape& scale, std::int64_t axis, std::int64_t block);
  std::int64_t operator()(std::int64_t element) const {
    if (kind_ == Kind::kAll) return 0;
    const std::int64_t along = element / inner_ % size_;
    if (kind_ == Kind::kAxis) return along;
    return (element / inner_ / size_ * blocks_ + along / block_) * inner_ + element % inner_;
  }

 private:
  enum class Kind : std::uint8_t { kAll, kAxis, kBlock };
  Kind kind_ = Kind::kAll;
  std::int64_t size_ = 1;
  std::int64_t inner_ = 1;
  std::int64_t block_ = 1;
  std::int64_t blocks_ = 1;
};

/// Scale (input `scale`) and zero point (input `zero`, may be absent) fit input 0 of QuantizeLinear
/// and DequantizeLinear.
Status check_scales(const InferContext& c, int scale, int zero, std::int64_t axis,
                    std::int64_t block);

}  // namespace polaris
