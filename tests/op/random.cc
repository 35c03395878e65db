#include "ir/op_attrs/random.h"

#include <doctest/doctest.h>

#include <cmath>

#include "conformance/suite.h"
#include "ir/op_util/random.h"

namespace polaris::test {
namespace {

constexpr DType kF = DType::kF32;

}  // namespace

TEST_CASE("random ops give the same on every device") {
  for (const char* name : {"RandomNormalLike", "RandomUniformLike"}) {
    Suite s(name);
    for (DType d : {DType::kF32, DType::kF16, DType::kF64})
      s.add(dtype_name(d), {random(d, {3, 5})});
    s.fails("type", {random(DType::kI64, {3})}, nullptr, "dtype, got int64");
    s.run();
  }
  Suite normal("RandomNormal");
  Suite uniform("RandomUniform");
  const auto set = [](auto& a) {
    a.shape = {3, 0, 5};
    a.seed = 1.5f;
  };
  normal.add("empty", {}, attrs<RandomNormalAttrs>(set));
  uniform.add("empty", {}, attrs<RandomUniformAttrs>(set));
  const auto negative = [](auto& a) { a.shape = {3, -1}; };
  normal.fails("dim", {}, attrs<RandomNormalAttrs>(negative), "shape, got a dim of -1");
  uniform.fails("dim", {}, attrs<RandomUniformAttrs>(negative), "shape, got a dim of -1");
  const auto deep = [](auto& a) { a.shape = std::vector<std::int64_t>(9, 1); };
  normal.fails("rank", {}, attrs<RandomNormalAttrs>(deep), "rank, got 9");
  normal.fails("type", {}, attrs<RandomNormalAttrs>([](auto& a) { a.dtype = DType::kI32; }),
               "dtype, got int32");
  normal.fails("too large", {}, attrs<RandomNormalAttrs>([](auto& a) {
                 a.shape = {INT64_MAX, INT64_MAX};
               }),
               "which is too large");
  normal.run();
  uniform.run();
  Suite coin("Bernoulli");
  coin.add("f32", {random(kF, {3, 5}, 0, 1)});
  coin.add("bool", {random(kF, {3, 5}, 0, 1)},
           attrs<BernoulliAttrs>([](auto& a) { a.dtype = DType::kBool; }));
  coin.fails("input", {random(DType::kI64, {3})}, nullptr, "type, got int64");
  coin.run();
  Suite classes("Multinomial");
  classes.add("i32", {random(kF, {3, 5})},
              attrs<MultinomialAttrs>([](auto& a) { a.sample_size = 4; }));
  classes.fails("size", {random(kF, {3, 5})},
                attrs<MultinomialAttrs>([](auto& a) { a.sample_size = -4; }),
                "sample_size, got -4");
  classes.fails("none", {random(kF, {3, 0})}, nullptr, "classes, got none");
  classes.fails("type", {random(kF, {3, 5})},
                attrs<MultinomialAttrs>([](auto& a) { a.dtype = DType::kF32; }),
                "dtype, got float32");
  classes.run();
}

TEST_CASE("random numbers hang on the seed, or the name where there is none, and are spread") {
  const RandomNumbers a(1.0f, "x");
  const RandomNumbers b(1.0f, "y");
  const RandomNumbers c(2.0f, "x");
  const RandomNumbers named(kNoSeed, "x");
  const RandomNumbers other(kNoSeed, "y");
  CHECK(a.uniform(5) == b.uniform(5));
  CHECK(a.uniform(5) != c.uniform(5));
  CHECK(named.uniform(5) != other.uniform(5));
  CHECK(RandomNumbers(kNoSeed, "x").normal(5) == named.normal(5));
  constexpr std::int64_t kCount = 20000;
  double sum = 0;
  double square = 0;
  double normal_sum = 0;
  double normal_square = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const double u = a.uniform(i);
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += u;
    square += u * u;
    const double n = a.normal(i);
    REQUIRE(std::isfinite(n));
    normal_sum += n;
    normal_square += n * n;
  }
  // Five deviations of the mean of so many.
  CHECK(std::fabs(sum / kCount - 0.5) < 0.011);
  CHECK(std::fabs(square / kCount - 1.0 / 3) < 0.011);
  CHECK(std::fabs(normal_sum / kCount) < 0.036);
  CHECK(std::fabs(normal_square / kCount - 1) < 0.05);
}

}  // namespace polaris::test
