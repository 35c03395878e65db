#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "ir/op_attrs/elementwise.h"
#include "support/node_run.h"

// Elementwise ops of floats over all that a float32 can be.
namespace polaris {
namespace {

using test::NodeCase;

/// How far a result may be off: units in the last place of what is wanted, and an absolute part.
/// docs/performance.md has the same table.
struct Bound {
  const char* op;
  double units;
  double absolute;
};
// Vulkan's own exp may be off by 3 + 2|x| units, its log by 2^-21 absolutely.
constexpr Bound kBounds[] = {
    {"Exp", 256, 0},        {"Log", 8, 1e-6},    {"Sin", 0, 5e-7},    {"Cos", 0, 5e-7},
    {"Tan", 64, 1e-6},      {"Asin", 16, 5e-7},  {"Acos", 16, 1e-6},  {"Atan", 16, 5e-7},
    {"Sinh", 256, 0},       {"Cosh", 256, 0},    {"Tanh", 16, 5e-7},  {"Asinh", 16, 2e-6},
    {"Acosh", 16, 2e-6},    {"Atanh", 16, 2e-6}, {"Erf", 0, 1e-6},    {"Sigmoid", 256, 1e-7},
    {"Softplus", 16, 2e-6}, {"Mish", 64, 2e-6},  {"Gelu", 8, 3e-6},   {"Swish", 64, 2e-6},
    {"Elu", 8, 1e-6},       {"Selu", 8, 2e-6},   {"Celu", 8, 1e-6},   {"HardSigmoid", 4, 5e-7},
    {"HardSwish", 8, 1e-6}, {"Softsign", 8, 0},  {"LeakyRelu", 2, 0}, {"Abs", 0, 0},
    {"Neg", 0, 0},          {"Relu", 0, 0},      {"Sign", 0, 0},      {"Floor", 0, 0},
    {"Ceil", 0, 0},         {"Round", 0, 0},     {"Sqrt", 0, 0},      {"Reciprocal", 0, 0},
};

bool tiny(double v) { return std::fabs(v) < 0x1p-126; }

Tensor of_floats(const std::vector<float>& v) {
  auto out = Tensor::allocate(DType::kF32, Shape{static_cast<std::int64_t>(v.size())});
  std::memcpy(out->mutable_bytes().data(), v.data(), v.size() * 4);
  return out.take();
}

/// Every exponent, both signs, a few mantissas, and what is no normal number.
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

std::string fault(float got, float want, const Bound& bound) {
  if (std::isnan(want)) return std::isnan(got) ? "" : "not NaN";
  if (got == want) return "";
  if (tiny(want) && tiny(got)) return "";  // a device may flush
  // What overflows within the units may do so on either side.
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

NodeCase node_of(const char* op, std::vector<Tensor> inputs) {
  NodeCase node;
  node.op = &test::find_op(op);
  if (node.op->make_attrs != nullptr) {
    node.attrs = node.op->make_attrs();
  } else {
    node.attrs = std::make_shared<NoAttrs>();
  }
  node.inputs = std::move(inputs);
  return node;
}

struct Results {
  std::vector<float> got, want;
};

Results run_both(Device& device, const NodeCase& node) {
  auto want = test::run_reference(node);
  auto got = test::run_device(device, node);
  REQUIRE_MESSAGE(want.ok(), want.error().message());
  REQUIRE_MESSAGE(got.ok(), got.error().message());
  const auto floats = [](const Tensor& t) {
    return std::vector<float>(t.data<float>(), t.data<float>() + t.elements());
  };
  return {floats((*got)[0]), floats((*want)[0])};
}

}  // namespace

TEST_CASE("vulkan: unary ops hold over the whole range of float32") {
  Device* device = test::software_vulkan();
  if (device == nullptr) return;
  const std::vector<float> x = whole_range();
  for (const Bound& bound : kBounds) {
    const NodeCase node = node_of(bound.op, {of_floats(x)});
    const Results r = run_both(*device, node);
    int wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (tiny(x[i]) && x[i] != 0) continue;  // may count as zero
      // No function here makes a number of a NaN.
      const float want = std::isnan(x[i]) ? x[i] : r.want[i];
      const std::string said = fault(r.got[i], want, bound);
      if (said.empty() || ++wrong > 3) continue;
      FAIL_CHECK(std::string(bound.op)
                 << "(" << x[i] << "): got " << r.got[i] << ", wanted " << want << ", " << said);
    }
    CHECK_MESSAGE(wrong == 0, std::string(bound.op), ": ", wrong, " of ", x.size());
  }
}

TEST_CASE("vulkan: quotients, remainders and powers of all sizes") {
  Device* device = test::software_vulkan();
  if (device == nullptr) return;
  std::vector<float> a = whole_range();
  std::vector<float> b = a;
  std::mt19937 random(5);
  std::shuffle(b.begin(), b.end(), random);
  for (int i = 0; i < 4000; ++i) {
    a.push_back(static_cast<float>(random() % 100000));
    b.push_back(static_cast<float>(random() % 300 + 1));
  }
  for (const Bound& bound : {Bound{"Div", 0, 0}, Bound{"Mod", 0, 0}, Bound{"Pow", 512, 0}}) {
    NodeCase node = node_of(bound.op, {of_floats(a), of_floats(b)});
    if (std::string_view(bound.op) == "Mod") {
      auto attrs = std::make_shared<ModAttrs>();
      attrs->fmod = true;
      node.attrs = attrs;
    }
    const Results r = run_both(*device, node);
    int wrong = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if ((tiny(a[i]) && a[i] != 0) || (tiny(b[i]) && b[i] != 0)) continue;
      const std::string said = fault(r.got[i], r.want[i], bound);
      if (said.empty() || ++wrong > 3) continue;
      FAIL_CHECK(std::string(bound.op) << "(" << a[i] << ", " << b[i] << "): got " << r.got[i]
                                       << ", wanted " << r.want[i] << ", " << said);
    }
    CHECK_MESSAGE(wrong == 0, std::string(bound.op), ": ", wrong, " of ", a.size());
  }
}

}  // namespace polaris
