#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "tensor/dtype.h"
#include "tensor/half.h"

namespace polaris {

/// Storage wrappers so that f16 and bf16 can be told apart from uint16 by type.
struct F16 {
  std::uint16_t bits;
};
struct BF16 {
  std::uint16_t bits;
};

/// Calls f with a value of the C++ type that stores `dtype` (F16, BF16, bool as std::uint8_t via
/// BoolByte): `with_dtype(dtype, [&](auto tag) { using T = decltype(tag); ... })`.
struct BoolByte {
  std::uint8_t value;
};
template <class F>
decltype(auto) with_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kF32: return f(float{});
    case DType::kF16: return f(F16{});
    case DType::kBF16: return f(BF16{});
    case DType::kF64: return f(double{});
    case DType::kI8: return f(std::int8_t{});
    case DType::kU8: return f(std::uint8_t{});
    case DType::kI16: return f(std::int16_t{});
    case DType::kU16: return f(std::uint16_t{});
    case DType::kI32: return f(std::int32_t{});
    case DType::kU32: return f(std::uint32_t{});
    case DType::kI64: return f(std::int64_t{});
    case DType::kU64: return f(std::uint64_t{});
    case DType::kBool: break;
  }
  return f(BoolByte{});
}

inline double to_f64(float v) { return v; }
inline double to_f64(double v) { return v; }
inline double to_f64(F16 v) { return f16_to_f32(v.bits); }
inline double to_f64(BF16 v) { return bf16_to_f32(v.bits); }
inline double to_f64(BoolByte v) { return v.value != 0 ? 1.0 : 0.0; }
template <class T>
  requires std::is_integral_v<T>
double to_f64(T v) {
  return static_cast<double>(v);
}

/// Rounds a double once to T: floats to nearest even, integers toward zero with saturation.
template <class T>
T from_f64(double v) {
  if constexpr (std::is_same_v<T, F16>) {
    // Via float would round twice: keep the sticky bit by rounding the float step to odd.
    float f = static_cast<float>(v);
    if (static_cast<double>(f) != v && std::isfinite(f)) {
      std::uint32_t bits;
      std::memcpy(&bits, &f, 4);
      if ((bits & 1u) == 0) {
        const bool toward_zero = std::fabs(static_cast<double>(f)) > std::fabs(v);
        bits = toward_zero ? bits - 1 : bits + 1;
        std::memcpy(&f, &bits, 4);
      }
    }
    return {f32_to_f16(f)};
  } else if constexpr (std::is_same_v<T, BF16>) {
    return {f32_to_bf16(static_cast<float>(v))};
  } else if constexpr (std::is_same_v<T, BoolByte>) {
    return {static_cast<std::uint8_t>(v != 0.0)};
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(v);
  } else {
    if (std::isnan(v)) return T{0};
    constexpr double kLow = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double kHigh = static_cast<double>(std::numeric_limits<T>::max());
    if (v <= kLow) return std::numeric_limits<T>::min();
    if (v >= kHigh) return std::numeric_limits<T>::max();
    return static_cast<T>(v);
  }
}

/// Element `index` of row-major plain storage, widened.
double load_f64(DType dtype, const std::byte* data, std::int64_t index);
/// Rounds `value` once to dtype and stores it as element `index`.
void store_f64(DType dtype, std::byte* data, std::int64_t index, double value);
/// Integers and bool exactly; floats truncated toward zero.
std::int64_t load_i64(DType dtype, const std::byte* data, std::int64_t index);
/// Keeps the low bits, as integer arithmetic of that width does.
void store_i64(DType dtype, std::byte* data, std::int64_t index, std::int64_t value);

}  // namespace polaris
