#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "ir/op_attrs/elementwise.h"

namespace polaris::test {
namespace {

struct Row {
  const char* op;
  double low;  // of the operands: where the function is defined and tame
  double high;
};
constexpr Row kRealOps[] = {
    {"Abs", -4, 4},
    {"Neg", -4, 4},
    {"Sqrt", 0, 9},
    {"Exp", -5, 5},
    {"Log", 0.01, 9},
    {"Sin", -6, 6},
    {"Cos", -6, 6},
    {"Tan", -1.4, 1.4},
    {"Asin", -0.99, 0.99},
    {"Acos", -0.99, 0.99},
    {"Atan", -9, 9},
    {"Sinh", -4, 4},
    {"Cosh", -4, 4},
    {"Tanh", -6, 6},
    {"Asinh", -9, 9},
    {"Acosh", 1.01, 9},
    {"Atanh", -0.95, 0.95},
    {"Erf", -4, 4},
    {"Relu", -4, 4},
    {"Sigmoid", -9, 9},
    {"HardSigmoid", -4, 4},
    {"HardSwish", -5, 5},
    {"LeakyRelu", -4, 4},
    {"Elu", -4, 4},
    {"Selu", -4, 4},
    {"Celu", -4, 4},
    {"Gelu", -5, 5},
    {"Mish", -6, 6},
    {"Softplus", -9, 9},
    {"Softsign", -9, 9},
    {"ThresholdedRelu", -4, 4},
    {"Shrink", -4, 4},
    {"Floor", -9, 9},
    {"Ceil", -9, 9},
    {"Round", -9, 9},
    {"Sign", -4, 4},
    {"Reciprocal", 0.1, 9},
    {"Swish", -6, 6},
    {"Identity", -4, 4},
};

}  // namespace

TEST_CASE("unary ops of floats") {
  for (const Row& row : kRealOps) {
    Suite s(row.op);
    s.add("f32 prime", {random(DType::kF32, {7, 13}, row.low, row.high)});
    s.add("f32 scalar", {random(DType::kF32, {}, row.low, row.high)});
    s.add("f32 empty", {random(DType::kF32, {3, 0, 2})});
    s.add("f32 1031", {random(DType::kF32, {1031}, row.low, row.high)});
    s.add("f16", {random(DType::kF16, {5, 11}, row.low, row.high)});
    s.add("bf16", {random(DType::kBF16, {9}, row.low, row.high)});
    s.add("f64", {random(DType::kF64, {3, 5}, row.low, row.high)});
    s.run();
  }
}

TEST_CASE("unary ops of integers") {
  for (const char* op : {"Abs", "Sign", "Neg", "Relu", "Identity"}) {
    Suite s(op);
    for (DType d : {DType::kI8, DType::kI16, DType::kI32, DType::kI64}) {
      s.add(dtype_name(d), {random_bits(d, {3, 37})});
    }
    s.run();
  }
  for (const char* op : {"Abs", "Sign", "Identity", "BitwiseNot"}) {
    Suite s(op);
    for (DType d : {DType::kU8, DType::kU16, DType::kU32, DType::kU64}) {
      s.add(dtype_name(d), {random_bits(d, {3, 37})});
    }
    s.run();
  }
  Suite n("Not");
  n.add("bool", {random(DType::kBool, {5, 7})});
  n.fails("float", {random(DType::kF32, {2})}, nullptr, "wanted bool");
  n.run();
}

TEST_CASE("unary ops with special values") {
  for (const char* op : {"Abs", "Neg", "Relu", "Floor", "Ceil", "Sqrt", "Identity", "Round"}) {
    Suite s(op);
    s.add("specials", {with_specials(random(DType::kF32, {31}))});
    s.run();
  }
  Suite round("Round");
  round.add("halves", {values(DType::kF32, {7}, {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e10})});
  round.run();
}

TEST_CASE("unary ops with attributes") {
  Suite gelu("Gelu");
  gelu.add("tanh", {random(DType::kF32, {4, 9})},
           attrs<GeluAttrs>([](auto& a) { a.approximate = "tanh"; }));
  gelu.run();
  Suite leaky("LeakyRelu");
  leaky.add("alpha", {random(DType::kF32, {4, 9})},
            attrs<LeakyReluAttrs>([](auto& a) { a.alpha = -0.3f; }));
  leaky.run();
  Suite hard("HardSigmoid");
  hard.add("alpha, beta", {random(DType::kF32, {41}, -5, 5)},
           attrs<HardSigmoidAttrs>([](auto& a) { a.alpha = 0.5f, a.beta = 0.1f; }));
  hard.run();
  Suite elu("Elu");
  elu.add("alpha", {random(DType::kF32, {41}, -5, 5)},
          attrs<EluAttrs>([](auto& a) { a.alpha = 2.5f; }));
  elu.fails("integers", {random(DType::kI32, {3})}, nullptr, "type, got int32");
  elu.run();
  Suite celu("Celu");
  celu.add("alpha", {random(DType::kF32, {41}, -5, 5)},
           attrs<CeluAttrs>([](auto& a) { a.alpha = 2.0f; }));
  celu.run();
  Suite thresholded("ThresholdedRelu");
  thresholded.add("alpha", {random(DType::kF32, {41}, -5, 5)},
                  attrs<ThresholdedReluAttrs>([](auto& a) { a.alpha = 1.5f; }));
  thresholded.run();
  Suite shrink("Shrink");
  shrink.add("lambd, bias", {random(DType::kF32, {41}, -5, 5)},
             attrs_of("Shrink", {{"lambd", 1.5f}, {"bias", 0.75f}}));
  shrink.add("f16", {random(DType::kF16, {41}, -5, 5)},
             attrs_of("Shrink", {{"lambd", 1.5f}, {"bias", 0.75f}}));
  shrink.add("specials", {with_specials(random(DType::kF32, {31}))},
             attrs_of("Shrink", {{"lambd", 0.25f}, {"bias", -0.5f}}));
  shrink.run();
  Suite swish("Swish");
  swish.add("alpha", {random(DType::kF32, {41}, -5, 5)},
            attrs<SwishAttrs>([](auto& a) { a.alpha = 0.5f; }));
  swish.run();
}

TEST_CASE("IsNaN and IsInf") {
  Suite nan("IsNaN");
  nan.add("f32", {with_specials(random(DType::kF32, {31}))});
  nan.add("f16", {with_specials(random(DType::kF16, {31}))});
  nan.run();
  Suite inf("IsInf");
  inf.add("both", {with_specials(random(DType::kF32, {31}))});
  inf.add("positive", {with_specials(random(DType::kF32, {31}))},
          attrs<IsInfAttrs>([](auto& a) { a.detect_negative = false; }));
  inf.add("negative", {with_specials(random(DType::kF32, {31}))},
          attrs<IsInfAttrs>([](auto& a) { a.detect_positive = false; }));
  inf.run();
}

}  // namespace polaris::test
