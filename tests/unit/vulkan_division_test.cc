#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "backend/elementwise.h"
#include "backend/vulkan/parts/opcode.h"
#include "support/float_range.h"
#include "support/glsl.h"
#include "tensor/half.h"

// The shaders' float ops, compiled as C++ for a device that divides as GPUs do: by a product with a
// reciprocal that counts as zero where it is subnormal. Drivers of software divide rightly, so that
// no run on one would find a fault.
namespace polaris::test::glsl::all_ops {

using namespace polaris::vulkan;  // the opcodes

#ifdef __clang__
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
#define precise
#define LOOP
#define UINTS8(a, b, c, d, e, f, g, h) \
  { a, b, c, d, e, f, g, h }
#define float Float
#include "backend/vulkan/shader/float_ops.glsl"
#undef float
#undef precise
#undef LOOP
#undef UINTS8

namespace {

class ByReciprocal {
 public:
  ByReciprocal() { Float::by_reciprocal() = true; }
  ~ByReciprocal() { Float::by_reciprocal() = false; }
  ByReciprocal(const ByReciprocal&) = delete;
  ByReciprocal& operator=(const ByReciprocal&) = delete;
};

/// Numbers with few that are near each other.
std::vector<float> shuffled_range(unsigned seed) {
  std::vector<float> all = whole_range();
  std::mt19937 random(seed);
  std::shuffle(all.begin(), all.end(), random);
  return all;
}

bool skipped(float v) { return is_subnormal_or_zero(v) && v != 0; }

}  // namespace

TEST_CASE("unary ops hold where a reciprocal of a large number is zero") {
  const ByReciprocal divides;
  const std::vector<float> xs = whole_range();
  for (const UnaryCase& c : unary_cases()) {
    const ElementwiseRow* row = find_elementwise(c.op->name);
    REQUIRE_MESSAGE(row != nullptr, c.name);
    NodeDesc node;
    node.op = c.op;
    node.attrs = c.attrs.get();
    const float p0 = number_of(node, 0);
    const float p1 = number_of(node, 1);
    int wrong = 0;
    for (const float x : xs) {
      if (skipped(x)) continue;
      const auto want = static_cast<float>(c.op->scalar(*c.attrs, static_cast<double>(x), 0));
      const float got = float_op(row->opcode, kTypeF32, Float::of(x), Float::of(0), Float::of(0),
                                 Float::of(p0), Float::of(p1))
                            .value();
      const std::string said = float_fault(got, want, c.bound);
      if (said.empty() || ++wrong > 3) continue;
      FAIL_CHECK(c.name << "(" << x << "): got " << got << ", wanted " << want << ", " << said);
    }
    CHECK_MESSAGE(wrong == 0, c.name, ": ", wrong, " of ", xs.size());
  }
}

TEST_CASE("quotients of every float type hold where a reciprocal of a large number is zero") {
  const ByReciprocal divides;
  const std::vector<float> as = shuffled_range(1);
  const std::vector<float> bs = shuffled_range(2);
  const auto quotient = [](uint op, uint type, float a, float b) {
    const bool scaled = op == kOpAddDivide;
    return float_op(op, type, Float::of(a), Float::of(scaled ? 0 : b), Float::of(0), Float::of(b),
                    Float::of(0))
        .value();
  };
  for (const uint op : {kOpDiv, kOpAddDivide}) {
    for (const uint type : {kTypeF32, kTypeF16, kTypeBF16}) {
      CAPTURE(op);
      CAPTURE(type);
      // Those of 16 bits are rounded to 11 or 8 afterwards.
      const FloatBound bound{type == kTypeF32 ? 0.0 : 4.0, 0};
      int wrong = 0;
      for (std::size_t i = 0; i < as.size(); ++i) {
        float a = as[i];
        float b = bs[i];
        if (type == kTypeF16) a = f16_to_f32(f32_to_f16(a)), b = f16_to_f32(f32_to_f16(b));
        if (skipped(a) || skipped(b)) continue;
        const std::string said = float_fault(quotient(op, type, a, b), a / b, bound);
        if (said.empty() || ++wrong > 3) continue;
        FAIL_CHECK(a << " / " << b << ": got " << quotient(op, type, a, b) << ", " << said);
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("values are quantized rightly by scales of every size") {
  const ByReciprocal divides;
  std::mt19937 random(5);
  int wrong = 0;
  for (int i = 0; i < 200000; ++i) {
    const auto exponent = static_cast<int>(random() % 236) - 108;
    const float scale = std::ldexp(static_cast<float>(1 + random() % 100000) * 0x1p-17f, exponent);
    const auto steps = static_cast<float>(static_cast<int>(random() % 2048) - 1024) * 0.25f;
    const float x = steps * scale;
    if (!std::isnormal(x) || !std::isnormal(scale)) continue;
    const auto want = static_cast<int>(std::nearbyint(x / scale));
    if (quantized(Float::of(x), Float::of(scale)) != want) ++wrong;
    if (quantized_wide(Float::of(x), Float::of(scale)) != want) ++wrong;
  }
  CHECK_MESSAGE(wrong == 0, wrong, " values");
  for (const float scale : {1.5e38f, 2e38f}) {
    CHECK(quantized(Float::of(3e38f), Float::of(scale)) == 2);
    CHECK(quantized_wide(Float::of(-3e38f), Float::of(scale)) == -2);
  }
}

}  // namespace polaris::test::glsl::all_ops
