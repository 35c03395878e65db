#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tensor/dtype.h"
#include "tensor/half.h"
#include "tensor/small_float.h"

namespace polaris {

/// Storage wrappers so that f16 and bf16 can be told apart from uint16 by type.
struct F16 {
  std::uint16_t bits;
};
struct BF16 {
  std::uint16_t bits;
};

struct BoolByte {
  std::uint8_t value;
};

/// Calls f with a value of the C++ type that stores `dtype` (F16, BF16, bool as std::uint8_t via
/// BoolByte): `with_dtype(dtype, [&](auto tag) { using T = decltype(tag); ... })`. Small dtypes
/// and strings have no such type: callers keep them out.
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
    case DType::kBool:
    case DType::kF8E4M3FN:
    case DType::kF8E4M3FNUZ:
    case DType::kF8E5M2:
    case DType::kF8E5M2FNUZ:
    case DType::kF8E8M0:
    case DType::kF4E2M1:
    case DType::kI4:
    case DType::kU4:
    case DType::kI2:
    case DType::kU2:
    case DType::kString: break;
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

/// `v` as a float whose last bit is set where the float is not exact, so that a second rounding, to
/// a shorter type, goes where one rounding of `v` would.
inline float f64_to_f32_odd(double v) {
  const auto f = static_cast<float>(v);
  if (static_cast<double>(f) == v || !std::isfinite(f)) return f;
  const auto bits = std::bit_cast<std::uint32_t>(f);
  if ((bits & 1u) != 0) return f;
  const bool beyond = std::fabs(static_cast<double>(f)) > std::fabs(v);
  return std::bit_cast<float>(beyond ? bits - 1 : bits + 1);
}

/// Rounds a double once to T: floats to nearest even, integers toward zero with saturation (NaN
/// gives 0), bool is `not zero`.
template <class T>
T from_f64(double v) {
  if constexpr (std::is_same_v<T, F16>) {
    return {f32_to_f16(f64_to_f32_odd(v))};
  } else if constexpr (std::is_same_v<T, BF16>) {
    return {f32_to_bf16(f64_to_f32_odd(v))};
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

/// An integer as a double; what a double cannot hold goes into the last bit that it does hold, so
/// that a second rounding, to a shorter type, goes where one rounding would.
template <class V>
  requires std::is_integral_v<V>
double integer_to_f64_odd(V v) {
  const bool negative = v < V{0};
  auto magnitude = static_cast<std::uint64_t>(v);
  if (negative) magnitude = 0 - magnitude;
  constexpr std::uint64_t kLow = 0x7FF;
  if ((magnitude & kLow) != 0 && magnitude >> 53 != 0) magnitude = (magnitude & ~kLow) | (kLow + 1);
  const auto d = static_cast<double>(magnitude);
  return negative ? -d : d;
}

/// Rounds an integer once to T: floats to nearest even, integers keep their low bits, bool is `not
/// zero`.
template <class T, class V>
  requires std::is_integral_v<V>
T from_integer(V v) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<T>(v);
  } else if constexpr (std::is_same_v<T, BoolByte>) {
    return {static_cast<std::uint8_t>(v != 0)};
  } else {
    return from_f64<T>(integer_to_f64_odd(v));
  }
}

/// Element `index` of row-major plain storage, widened.
double load_f64(DType dtype, const std::byte* data, std::int64_t index);
/// Rounds `value` once to dtype and stores it as element `index`, as Cast does. Integers narrower
/// than a byte keep the low bits of the number without its fraction (0 where int64 cannot hold it).
void store_f64(DType dtype, std::byte* data, std::int64_t index, double value,
               SmallRounding rounding = {});
/// Integers and bool exactly; floats truncated toward zero.
std::int64_t load_i64(DType dtype, const std::byte* data, std::int64_t index);
/// Keeps the low bits, as integer arithmetic of that width does; floats are rounded once.
void store_i64(DType dtype, std::byte* data, std::int64_t index, std::int64_t value,
               SmallRounding rounding = {});
/// The same of a number without a sign.
void store_u64(DType dtype, std::byte* data, std::int64_t index, std::uint64_t value,
               SmallRounding rounding = {});

/// The bits of element `index` of a small dtype, in the low bits; and writes them.
std::uint8_t load_code(DType dtype, const std::byte* data, std::int64_t index);
void store_code(DType dtype, std::byte* data, std::int64_t index, std::uint8_t code);
/// Copies `count` elements of one dtype, bit for bit; where the arrays overlap, from element to
/// element only as far as they share the index.
void copy_elements(DType dtype, std::byte* to, std::int64_t to_index, const std::byte* from,
                   std::int64_t from_index, std::int64_t count);
/// Zeroes what the last byte of a packed array of `elements` has beyond them; does nothing to other
/// dtypes.
void clear_padding(DType dtype, std::byte* data, std::int64_t elements);
/// The padding is zero, or there is none.
bool has_clear_padding(DType dtype, const std::byte* data, std::int64_t elements);

}  // namespace polaris
