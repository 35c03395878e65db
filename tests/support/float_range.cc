#include "support/float_range.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "ir/op_attrs/elementwise.h"
#include "support/node_run.h"

namespace polaris::test {
namespace {

struct Row {
  const char* op;
  FloatBound bound;
};
// Vulkan's own exp may be off by 3 + 2|x| units, its log by 2^-21 absolutely.
constexpr Row kRows[] = {
    {"Exp", {256, 0}},        {"Log", {8, 1e-6}},       {"Sin", {0, 5e-7}},
    {"Cos", {0, 5e-7}},       {"Tan", {64, 1e-6}},      {"Asin", {16, 5e-7}},
    {"Acos", {16, 1e-6}},     {"Atan", {16, 5e-7}},     {"Sinh", {256, 0}},
    {"Cosh", {256, 0}},       {"Tanh", {16, 5e-7}},     {"Asinh", {16, 2e-6}},
    {"Acosh", {16, 2e-6}},    {"Atanh", {16, 2e-6}},    {"Erf", {0, 1e-6}},
    {"Sigmoid", {256, 1e-7}}, {"Softplus", {16, 2e-6}}, {"Mish", {64, 2e-6}},
    {"Gelu", {8, 3e-6}},      {"Swish", {64, 2e-6}},    {"Elu", {8, 1e-6}},
    {"Selu", {8, 2e-6}},      {"Celu", {8, 1e-6}},      {"HardSigmoid", {4, 5e-7}},
    {"HardSwish", {8, 1e-6}}, {"Softsign", {8, 0}},     {"LeakyRelu", {2, 0}},
    {"Abs", {0, 0}},          {"Neg", {0, 0}},          {"Relu", {0, 0}},
    {"Sign", {0, 0}},         {"Floor", {0, 0}},        {"Ceil", {0, 0}},
    {"Round", {0, 0}},        {"Sqrt", {0, 0}},         {"Reciprocal", {0, 0}},
};

UnaryCase case_of(const char* op, FloatBound bound) {
  UnaryCase out;
  out.op = &find_op(op);
  out.name = op;
  out.bound = bound;
  out.attrs = std::make_shared<NoAttrs>();
  if (out.op->make_attrs != nullptr) out.attrs = out.op->make_attrs();
  return out;
}

template <class A>
UnaryCase with_alpha(const char* op, float alpha, FloatBound bound) {
  UnaryCase out = case_of(op, bound);
  auto attrs = std::make_shared<A>();
  attrs->alpha = alpha;
  out.attrs = attrs;
  out.name += " alpha " + std::to_string(alpha);
  return out;
}

}  // namespace

std::vector<UnaryCase> unary_cases() {
  std::vector<UnaryCase> all;
  for (const Row& row : kRows) all.push_back(case_of(row.op, row.bound));
  for (const float alpha : {1e-30f, 1e-3f, 100.0f, 1e6f, 1e30f, 1.5e38f}) {
    all.push_back(with_alpha<EluAttrs>("Elu", alpha, {32, 0}));
    all.push_back(with_alpha<SeluAttrs>("Selu", alpha, {32, 0}));
    all.push_back(with_alpha<CeluAttrs>("Celu", alpha, {32, 0}));
    // What the exponent is rounded by is multiplied by up to 88.
    all.push_back(with_alpha<SwishAttrs>("Swish", alpha, {512, 1e-6}));
    all.push_back(with_alpha<LeakyReluAttrs>("LeakyRelu", alpha, {2, 0}));
    all.push_back(with_alpha<HardSigmoidAttrs>("HardSigmoid", alpha, {4, 5e-7}));
  }
  for (const float alpha : {3e-37f, 1e-36f}) {
    all.push_back(with_alpha<SwishAttrs>("Swish", alpha, {512, 1e-6}));
  }
  return all;
}

std::vector<float> whole_range() {
  std::vector<float> all;
  std::mt19937 random(3);
  for (std::uint32_t exponent = 0; exponent < 256; ++exponent) {
    for (int k = 0; k < 10; ++k) {
      const auto mantissa = k == 0 ? 0u : static_cast<std::uint32_t>(random()) & 0x7FFFFFu;
      for (const std::uint32_t sign : {0u, 0x80000000u}) {
        all.push_back(std::bit_cast<float>(sign | exponent << 23 | mantissa));
      }
    }
  }
  // Where most functions turn.
  for (int i = 0; i < 4000; ++i) all.push_back(static_cast<float>(i - 2000) * 0.0103f);
  return all;
}

bool is_subnormal_or_zero(double v) { return std::fabs(v) < 0x1p-126; }

std::string float_fault(float got, float want, const FloatBound& bound) {
  if (std::isnan(want)) return std::isnan(got) ? "" : "not NaN";
  if (got == want) return "";
  if (is_subnormal_or_zero(want) && is_subnormal_or_zero(got)) return "";
  const double edge =
      static_cast<double>(std::numeric_limits<float>::max()) * (1 - bound.units * 0x1p-22);
  if (bound.units > 0 && std::fabs(static_cast<double>(want)) >= edge &&
      std::fabs(static_cast<double>(got)) >= edge && std::signbit(got) == std::signbit(want)) {
    return "";
  }
  const double unit = std::isinf(want) ? 0 : std::ldexp(1.0, std::max(std::ilogb(want), -126) - 23);
  const double off = std::fabs(static_cast<double>(got) - static_cast<double>(want));
  if (off <= bound.units * unit + bound.absolute) return "";
  return "off by " + std::to_string(off / std::max(unit, 0x1p-149)) + " units";
}

}  // namespace polaris::test
