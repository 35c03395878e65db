#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>

#include "support/glsl.h"

// The shaders' own arithmetic, compiled as C++ with a division, square root, exponential and
// logarithm that are off by as much as Vulkan lets a driver's be.
namespace polaris::test::glsl {

#ifdef __clang__
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
#define precise
#define LOOP
#define UINTS8(a, b, c, d, e, f, g, h) \
  { a, b, c, d, e, f, g, h }
#define float Float
#include "backend/vulkan/shader/exact.glsl"
#include "backend/vulkan/shader/math.glsl"
#undef float
#undef precise
#undef LOOP
#undef UINTS8

namespace {

constexpr int kUnits[] = {-3, -2, -1, 0, 1, 2, 3};

/// Sets the units for a block and takes them back.
class Error {
 public:
  explicit Error(int units) { Float::error() = units; }
  ~Error() { Float::error() = 0; }
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
};

bool same(float a, float b) {
  return std::bit_cast<uint>(a) == std::bit_cast<uint>(b) || (std::isnan(a) && std::isnan(b));
}

/// Pairs of all kinds: any bits, small integers, neighbours of each other.
class Pairs {
 public:
  std::array<float, 2> next() {
    const auto bits = [&] { return static_cast<uint>(random_()); };
    const uint kind = bits() % 3;
    const float a = std::bit_cast<float>(bits());
    if (kind == 0) return {a, std::bit_cast<float>(bits())};
    if (kind == 1) return {static_cast<float>(bits() % 5000), static_cast<float>(bits() % 5000)};
    return {a, std::bit_cast<float>((std::bit_cast<uint>(a) & 0xFF800000u) | bits() % 64)};
  }

 private:
  std::mt19937 random_{7};
};

}  // namespace

TEST_CASE("a quotient is rounded to nearest whatever the device's division is off by") {
  for (const int units : kUnits) {
    const Error error(units);
    Pairs pairs;
    int wrong = 0;
    for (int i = 0; i < 200000; ++i) {
      const auto [a, b] = pairs.next();
      const float want = a / b;
      if (!std::isnormal(a) || !std::isnormal(b) || !std::isnormal(want)) continue;
      if (!same(exact_div(Float::of(a), Float::of(b)).value(), want)) ++wrong;
    }
    CHECK_MESSAGE(wrong == 0, units, " units: ", wrong, " quotients");
    // What is not normal is the device's own.
    CHECK(std::isnan(exact_div(Float::of(0), Float::of(0)).value()));
    CHECK(exact_div(Float::of(-1), Float::of(0)).value() == -INFINITY);
    CHECK(exact_div(Float::of(0), Float::of(3)).value() == 0);
    CHECK(exact_div(Float::of(1), Float::of(INFINITY)).value() == 0);
  }
}

TEST_CASE("a square root is rounded to nearest whatever the device's is off by") {
  for (const int units : kUnits) {
    const Error error(units);
    Pairs pairs;
    int wrong = 0;
    for (int i = 0; i < 200000; ++i) {
      const float a = std::fabs(pairs.next()[0]);
      if (std::isnormal(a) && !same(exact_sqrt(Float::of(a)).value(), std::sqrt(a))) ++wrong;
    }
    CHECK_MESSAGE(wrong == 0, units, " units: ", wrong, " roots");
    CHECK(std::isnan(exact_sqrt(Float::of(-1)).value()));
    CHECK(exact_sqrt(Float::of(INFINITY)).value() == INFINITY);
    CHECK(exact_sqrt(Float::of(0)).value() == 0);
  }
}

TEST_CASE("a quotient is quantized by its exact value, ties to even") {
  for (const int units : kUnits) {
    const Error error(units);
    std::mt19937 random(11);
    int wrong = 0;
    for (int i = 0; i < 100000; ++i) {
      const auto scale = static_cast<float>(1 + random() % 100000) * 0.00137f;
      const float half = static_cast<float>(static_cast<int>(random() % 512) - 256) * 0.5f;
      float x = half * scale;
      if (i % 3 == 1) x = std::nextafter(x, INFINITY);
      if (i % 3 == 2) x = std::nextafter(x, -INFINITY);
      const auto want = static_cast<int>(std::nearbyint(x / scale));
      if (quantized(Float::of(x), Float::of(scale)) != want) ++wrong;
      if (quantized_wide(Float::of(x), Float::of(scale)) != want) ++wrong;
    }
    CHECK_MESSAGE(wrong == 0, units, " units: ", wrong, " values");
  }
}

TEST_CASE("a remainder is exact, subnormal numbers too") {
  Pairs pairs;
  int wrong = 0;
  for (int i = 0; i < 300000; ++i) {
    const auto [a, b] = pairs.next();
    if (!same(exact_fmod(Float::of(a), Float::of(b)).value(), std::fmod(a, b))) ++wrong;
  }
  CHECK(wrong == 0);
  const float specials[] = {0.f, -0.f,   1.f,   -3.5f,   INFINITY, -INFINITY,
                            NAN, 1e-45f, 3e38f, -1e-40f, 1e9f,     16777216.f};
  for (const float a : specials) {
    for (const float b : specials) {
      CHECK_MESSAGE(same(exact_fmod(Float::of(a), Float::of(b)).value(), std::fmod(a, b)), a, " ",
                    b);
    }
  }
}

TEST_CASE("sin, cos and tan hold for arguments of every size") {
  const Error error(2);
  std::mt19937 random(13);
  double worst = 0;
  double worst_tan = 0;
  for (int i = 0; i < 400000; ++i) {
    const float x = std::bit_cast<float>(static_cast<uint>(random()));
    if (!std::isfinite(x)) continue;
    const double d = x;
    const Float f = Float::of(x);
    worst = std::max(
        worst, std::fabs(static_cast<double>(sin_quadrant(f, 0, true).value()) - std::sin(d)));
    worst = std::max(
        worst, std::fabs(static_cast<double>(sin_quadrant(f, 1, true).value()) - std::cos(d)));
    const double tangent = std::tan(d);
    const double off = std::fabs(static_cast<double>(tan_accurate(f, true).value()) - tangent);
    worst_tan = std::max(worst_tan, off / std::max(1.0, std::fabs(tangent)));
  }
  CHECK(worst < 1.5e-7);
  CHECK(worst_tan < 2e-6);
  for (const float x : {INFINITY, -INFINITY, NAN}) {
    CHECK(std::isnan(sin_quadrant(Float::of(x), 0, true).value()));
    CHECK(std::isnan(tan_accurate(Float::of(x), true).value()));
  }
}

TEST_CASE("powers hold where the logarithm is small and the exponent large") {
  const Error error(2);
  std::mt19937 random(17);
  double worst = 0;
  for (int i = 0; i < 300000; ++i) {
    const float x = i % 2 == 0
                        ? std::fabs(std::bit_cast<float>(static_cast<uint>(random())))
                        : 1.0f + static_cast<float>(static_cast<int>(random()) >> 8) * 1e-10f;
    const auto y = static_cast<float>(std::ldexp(static_cast<double>(random()) / 0x1p32 - 0.5,
                                                 static_cast<int>(random() % 24) - 4));
    const double want = std::pow(static_cast<double>(x), static_cast<double>(y));
    if (!std::isnormal(x) || !std::isnormal(static_cast<float>(want))) continue;
    const double got = pow_accurate(Float::of(x), Float::of(y)).value();
    worst = std::max(worst, std::fabs(got - want) / want);
  }
  CHECK(worst < 5e-5);
  const float specials[] = {0.f, -0.f, 1.f,  -1.f, INFINITY, -INFINITY, NAN,   0.5f,
                            2.f, 3.f,  -3.f, -2.f, 2.5f,     -0.5f,     1e30f, -1e30f};
  for (const float a : specials) {
    for (const float b : specials) {
      const float got = pow_accurate(Float::of(a), Float::of(b)).value();
      const float want = std::pow(a, b);
      const bool near = got == want || std::fabs(got - want) <= 1e-5f * std::fabs(want);
      CHECK_MESSAGE((near || (std::isnan(got) && std::isnan(want))), a, " to the ", b, ": ", got);
    }
  }
}

}  // namespace polaris::test::glsl
