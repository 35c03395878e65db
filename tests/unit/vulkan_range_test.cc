#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "ir/op_attrs/elementwise.h"
#include "support/float_range.h"
#include "support/node_run.h"

// Elementwise ops of floats over all that a float32 can be.
namespace polaris {
namespace {

using test::float_fault;
using test::FloatBound;
using test::is_subnormal_or_zero;
using test::NodeCase;
using test::whole_range;

Tensor of_floats(const std::vector<float>& v) {
  auto out = Tensor::allocate(DType::kF32, Shape{static_cast<std::int64_t>(v.size())});
  std::memcpy(out->mutable_bytes().data(), v.data(), v.size() * 4);
  return out.take();
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
  for (const test::UnaryCase& c : test::unary_cases()) {
    NodeCase node;
    node.op = c.op;
    node.attrs = c.attrs;
    node.inputs = {of_floats(x)};
    const Results r = run_both(*device, node);
    int wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (is_subnormal_or_zero(x[i]) && x[i] != 0) continue;  // may count as zero
      // No function here makes a number of a NaN.
      const float want = std::isnan(x[i]) ? x[i] : r.want[i];
      const std::string said = float_fault(r.got[i], want, c.bound);
      if (said.empty() || ++wrong > 3) continue;
      FAIL_CHECK(c.name << "(" << x[i] << "): got " << r.got[i] << ", wanted " << want << ", "
                        << said);
    }
    CHECK_MESSAGE(wrong == 0, c.name, ": ", wrong, " of ", x.size());
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
  struct Binary {
    const char* op;
    FloatBound bound;
  };
  for (const auto& [op, bound] : {Binary{"Div", {}}, Binary{"Mod", {}}, Binary{"Pow", {512, 0}}}) {
    NodeCase node = node_of(op, {of_floats(a), of_floats(b)});
    if (std::string_view(op) == "Mod") {
      auto attrs = std::make_shared<ModAttrs>();
      attrs->fmod = true;
      node.attrs = attrs;
    }
    const Results r = run_both(*device, node);
    int wrong = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (is_subnormal_or_zero(a[i]) && a[i] != 0) continue;
      if (is_subnormal_or_zero(b[i]) && b[i] != 0) continue;
      const std::string said = float_fault(r.got[i], r.want[i], bound);
      if (said.empty() || ++wrong > 3) continue;
      FAIL_CHECK(std::string(op) << "(" << a[i] << ", " << b[i] << "): got " << r.got[i]
                                 << ", wanted " << r.want[i] << ", " << said);
    }
    CHECK_MESSAGE(wrong == 0, std::string(op), ": ", wrong, " of ", a.size());
  }
}

}  // namespace polaris
