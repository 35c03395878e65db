#include "tensor/half.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "tensor/element.h"

namespace polaris {
namespace {

// The compiler's own binary16, as the judge.
using Half = _Float16;

std::uint16_t half_bits(float f) { return std::bit_cast<std::uint16_t>(static_cast<Half>(f)); }
float half_value(std::uint16_t bits) { return static_cast<float>(std::bit_cast<Half>(bits)); }

bool is_nan_bits(std::uint16_t bits) { return (bits & 0x7FFFu) > 0x7C00u; }

void check_rounding(float f) {
  const std::uint16_t ours = f32_to_f16(f);
  const std::uint16_t theirs = half_bits(f);
  if (std::isnan(f)) {
    CHECK(is_nan_bits(ours));
  } else if (ours != theirs) {
    CHECK_MESSAGE(ours == theirs, "of ", f);
  }
}

float step(float f, int by) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(f) + static_cast<std::uint32_t>(by));
}

}  // namespace

TEST_CASE("every binary16 widens as the compiler widens it, and comes back") {
  for (std::uint32_t i = 0; i <= 0xFFFFu; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float ours = f16_to_f32(bits);
    if (is_nan_bits(bits)) {
      CHECK(std::isnan(ours));
      CHECK(is_nan_bits(f32_to_f16(ours)));
      continue;
    }
    if (std::bit_cast<std::uint32_t>(ours) != std::bit_cast<std::uint32_t>(half_value(bits)) ||
        f32_to_f16(ours) != bits) {
      FAIL_CHECK("binary16 ", i);
    }
  }
}

TEST_CASE("floats round to binary16 as the compiler rounds them") {
  // Every binary16, the midpoints to its neighbours, and the floats beside each.
  for (std::uint32_t i = 0; i <= 0xFFFFu; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    if (is_nan_bits(bits)) continue;
    const float at = f16_to_f32(bits);
    const float next = f16_to_f32(static_cast<std::uint16_t>(bits + 1));
    for (float f : {at, at * 0.5f + next * 0.5f}) {
      for (int by : {-1, 0, 1}) check_rounding(step(f, by));
    }
  }
  // A stride through all floats that is coprime with their number.
  std::uint32_t bits = 0;
  for (int i = 0; i < 4'000'000; ++i) {
    bits += 2654435761u;
    check_rounding(std::bit_cast<float>(bits));
  }
  for (float f : {65504.0f, 65519.99f, 65520.0f, 1e30f, INFINITY, -INFINITY, NAN, 0x1p-25f,
                  0x1.000002p-25f, 0x1p-24f, 0x1p-14f, -0.0f}) {
    check_rounding(f);
  }
}

TEST_CASE("doubles round to binary16 once") {
  // 1 + 2^-11 is half way to the next binary16; a touch more must round up, though a float on the
  // way would lose the touch.
  CHECK(from_f64<F16>(1.0 + 0x1p-11).bits == 0x3C00);
  CHECK(from_f64<F16>(1.0 + 0x1p-11 + 0x1p-40).bits == 0x3C01);
  CHECK(from_f64<F16>(1.0 + 3 * 0x1p-11 - 0x1p-40).bits == 0x3C01);
  CHECK(from_f64<F16>(1e300).bits == 0x7C00);
  CHECK(from_f64<F16>(-0x1p-24).bits == 0x8001);
}

TEST_CASE("bfloat16 keeps the high half, rounded to even") {
  for (std::uint32_t i = 0; i <= 0xFFFFu; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float f = bf16_to_f32(bits);
    if (std::isnan(f)) {
      CHECK(std::isnan(bf16_to_f32(f32_to_bf16(f))));
    } else if (f32_to_bf16(f) != bits) {
      FAIL_CHECK("bfloat16 ", i);
    }
  }
  const auto of = [](std::uint32_t b) { return f32_to_bf16(std::bit_cast<float>(b)); };
  CHECK(of(0x3F808000u) == 0x3F80);  // half way, to even
  CHECK(of(0x3F818000u) == 0x3F82);  // half way, to even
  CHECK(of(0x3F808001u) == 0x3F81);
  CHECK(of(0x7F7FFFFFu) == 0x7F80);  // past the largest: infinity
  CHECK(of(0x7F800001u) == 0x7FC0);  // a NaN whose payload would vanish stays one
}

}  // namespace polaris
