#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

/// Enough of GLSL for C++ to compile the shaders' own arithmetic: a test includes this and then a
/// .glsl file inside a namespace. `float` there is Float, whose division, square root and the like
/// are off by as many units as `Float::error()` says, as a driver's may be; where
/// `Float::by_reciprocal()` says so, divisions are products with a reciprocal that is never
/// subnormal.
namespace polaris::test::glsl {

using uint = std::uint32_t;

class Float {
 public:
  Float() = default;
  Float(double v) : v_(static_cast<float>(v)) {}  // NOLINT: literals convert
  explicit Float(uint v) : v_(static_cast<float>(v)) {}
  explicit Float(int v) : v_(static_cast<float>(v)) {}
  static Float of(float v) {
    Float f;
    f.v_ = v;
    return f;
  }
  float value() const { return v_; }
  explicit operator int() const { return saturated<int>(); }
  explicit operator uint() const { return saturated<uint>(); }

  /// Units in the last place that inexact results are moved by.
  static int& error() {
    static int units = 0;
    return units;
  }
  static bool& by_reciprocal() {
    static bool on = false;
    return on;
  }
  static Float inexact(double exact) {
    float v = static_cast<float>(exact);
    const float to = error() < 0 ? -INFINITY : INFINITY;
    for (int i = 0; i < std::abs(error()) && std::isnormal(v); ++i) v = std::nextafter(v, to);
    return of(v);
  }

  Float operator-() const { return of(-v_); }
  friend Float operator+(Float a, Float b) { return of(a.v_ + b.v_); }
  friend Float operator-(Float a, Float b) { return of(a.v_ - b.v_); }
  friend Float operator*(Float a, Float b) { return of(a.v_ * b.v_); }
  friend Float operator/(Float a, Float b) {
    if (by_reciprocal()) return of(flushed(flushed(a.v_) * flushed(1.0f / flushed(b.v_))));
    return inexact(static_cast<double>(a.v_) / static_cast<double>(b.v_));
  }
  Float& operator*=(Float b) { return *this = *this * b; }
  Float& operator+=(Float b) { return *this = *this + b; }
  friend bool operator<(Float a, Float b) { return a.v_ < b.v_; }
  friend bool operator>(Float a, Float b) { return a.v_ > b.v_; }
  friend bool operator<=(Float a, Float b) { return a.v_ <= b.v_; }
  friend bool operator>=(Float a, Float b) { return a.v_ >= b.v_; }
  friend bool operator==(Float a, Float b) { return a.v_ == b.v_; }

 private:
  template <class I>
  I saturated() const {
    if (std::isnan(v_)) return 0;
    if (static_cast<double>(v_) >= static_cast<double>(std::numeric_limits<I>::max())) {
      return std::numeric_limits<I>::max();
    }
    if (static_cast<double>(v_) <= static_cast<double>(std::numeric_limits<I>::min())) {
      return std::numeric_limits<I>::min();
    }
    return static_cast<I>(v_);
  }

  static float flushed(float v) { return std::fabs(v) < 0x1p-126f ? std::copysign(0.0f, v) : v; }

  float v_ = 0;
};

inline uint floatBitsToUint(Float f) { return std::bit_cast<uint>(f.value()); }
inline Float uintBitsToFloat(uint bits) { return Float::of(std::bit_cast<float>(bits)); }
inline Float abs(Float x) { return Float::of(std::fabs(x.value())); }
inline int abs(int x) { return x < 0 ? -x : x; }
inline Float trunc(Float x) { return Float::of(std::trunc(x.value())); }
inline Float floor(Float x) { return Float::of(std::floor(x.value())); }
inline Float ceil(Float x) { return Float::of(std::ceil(x.value())); }
inline Float roundEven(Float x) { return Float::of(std::nearbyint(x.value())); }
inline uint max(uint a, uint b) { return a < b ? b : a; }
inline Float min(Float a, Float b) { return b < a ? b : a; }
inline Float max(Float a, Float b) { return a < b ? b : a; }
inline Float clamp(Float x, Float low, Float high) { return min(max(x, low), high); }
inline uint min(uint a, uint b) { return b < a ? b : a; }
inline Float sqrt(Float x) { return Float::inexact(std::sqrt(static_cast<double>(x.value()))); }
inline Float exp(Float x) { return Float::inexact(std::exp(static_cast<double>(x.value()))); }
inline Float exp2(Float x) { return Float::inexact(std::exp2(static_cast<double>(x.value()))); }
inline Float log(Float x) { return Float::inexact(std::log(static_cast<double>(x.value()))); }
inline Float log2(Float x) { return Float::inexact(std::log2(static_cast<double>(x.value()))); }
inline int findMSB(uint v) { return std::bit_width(v) - 1; }
inline void umulExtended(uint a, uint b, uint& high, uint& low) {
  const std::uint64_t product = std::uint64_t{a} * b;
  high = static_cast<uint>(product >> 32);
  low = static_cast<uint>(product);
}

}  // namespace polaris::test::glsl
