#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "backend/elementwise.h"
#include "ir/op_attrs/chain.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_set.h"
#include "support/node_run.h"
#include "support/vulkan.h"
#include "tensor/element.h"

using namespace polaris;
using namespace polaris::test;

namespace {

NodeCase node_of(const OpDef& op, std::vector<Tensor> inputs) {
  NodeCase node;
  node.op = &op;
  node.attrs = op.make_attrs == nullptr ? std::make_unique<NoAttrs>() : op.make_attrs();
  node.inputs = std::move(inputs);
  return node;
}

/// Where an op is defined.
struct Domain {
  float low = -4;
  float high = 4;
};
Domain domain_of(std::string_view op) {
  if (op == "Sqrt" || op == "Log" || op == "Pow") return {0.01f, 9};
  if (op == "Asin" || op == "Acos" || op == "Atanh") return {-0.99f, 0.99f};
  if (op == "Acosh") return {1, 30};
  if (op == "Tan") return {-1.4f, 1.4f};
  if (op == "Sin" || op == "Cos") return {-200, 200};
  if (op == "Reciprocal") return {0.1f, 3};
  return {};
}

Tensor random_of(Random& random, DType dtype, const Shape& shape, std::string_view op) {
  const Domain d = domain_of(op);
  if (is_float(dtype)) return random_floats(random, dtype, shape, d.low, d.high);
  if (dtype == DType::kBool) return random_ints(random, dtype, shape, 0, 1);
  const bool small = op == "BitShift" || op == "Pow";
  return random_ints(random, dtype, shape, is_signed_integer(dtype) && !small ? -9 : 0,
                     small ? 4 : 9);
}

std::vector<DType> dtypes_of(const ElementwiseRow& row) {
  std::vector<DType> dtypes;
  if ((row.types & kFloats) != 0) dtypes = {DType::kF32, DType::kF16};
  if ((row.types & kInts) != 0) {
    for (DType d : {DType::kI8, DType::kU8, DType::kI16, DType::kU16, DType::kI32, DType::kU32,
                    DType::kI64, DType::kU64}) {
      dtypes.push_back(d);
    }
  }
  if ((row.types & kBools) != 0) dtypes.push_back(DType::kBool);
  return dtypes;
}

}  // namespace

TEST_CASE("vulkan elementwise: every row in every dtype, aligned and broadcast") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const OpSet ops = OpSet::builtin();
  Random random(7);
  for (const ElementwiseRow& row : kElementwiseRows) {
    const OpDef* op = ops.find(row.op);
    if (op == nullptr || row.form == ElementForm::kCast || row.op == "Expand") continue;
    for (const DType dtype : dtypes_of(row)) {
      CAPTURE(std::string(row.op));
      CAPTURE(std::string(dtype_name(dtype)));
      for (const bool broadcast : {false, true}) {
        const Shape first = broadcast ? Shape{3, 1, 7} : Shape{1031};
        std::vector<Tensor> inputs;
        for (int i = 0; i < operands_of(row.form); ++i) {
          const DType own = row.form == ElementForm::kWhere && i == 0 ? DType::kBool : dtype;
          const bool scalar = row.form == ElementForm::kClip && i > 0;
          const Shape shape = scalar ? Shape{} : i == 0 || !broadcast ? first : Shape{5, 7};
          inputs.push_back(
              random_of(random, own, row.op == "PRelu" && broadcast ? Shape{7} : shape, row.op));
        }
        if (row.op == "PRelu" && broadcast) inputs[0] = random_of(random, dtype, first, row.op);
        const NodeCase node = node_of(*op, std::move(inputs));
        if (!run_reference(node).ok()) continue;  // a dtype that ONNX does not allow
        check_node(*device, node);
      }
    }
  }
}

TEST_CASE("vulkan elementwise: scalars, empty tensors, variadic and mixed ranks") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(8);
  const auto f = [&](const Shape& shape) { return random_floats(random, DType::kF32, shape); };
  check_node(*device, node_of(find_op("Add"), {f({}), f({})}));
  check_node(*device, node_of(find_op("Add"), {f({0, 3}), f({3})}));
  check_node(*device,
             node_of(find_op("Mul"), {f({2, 1, 3, 1, 2, 1, 2, 1}), f({2, 1, 3, 1, 2, 1, 3})}));
  check_node(*device, node_of(find_op("Max"), {f({4, 1})}));
  check_node(*device, node_of(find_op("Max"), {f({4, 1}), f({3}), f({2, 1, 3}), f({})}));
  check_node(*device, node_of(find_op("Mean"), {f({4, 1}), f({3}), f({2, 4, 3}), f({1})}));
  check_node(*device, node_of(find_op("Sum"), {f({70000}), f({1}), f({70000})}));
}

TEST_CASE("vulkan elementwise: extremes of float functions") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> values = {0.0f,  -0.0f,  1e-8f, -1e-8f, 0.3f,  -0.3f,  1.0f,   -1.0f,
                                     10.0f, -10.0f, 30.0f, -30.0f, 80.0f, -80.0f, 100.0f, -100.0f,
                                     1e4f,  -1e4f,  inf,   -inf,   0.5f,  2.5f,   -2.5f,  1.5f};
  const Tensor x =
      Tensor::from<float>(DType::kF32, {static_cast<std::int64_t>(values.size())}, values).take();
  for (const char* name :
       {"Tanh",     "Sigmoid", "Erf",   "Gelu",  "Softplus", "Mish",      "Elu",
        "Exp",      "Abs",     "Atan",  "Round", "Floor",    "Sign",      "Relu",
        "Softsign", "IsNaN",   "IsInf", "Sinh",  "Cosh",     "HardSwish", "Neg"}) {
    const OpDef* op = OpSet::builtin().find(name);
    if (op == nullptr) continue;
    CAPTURE(std::string(name));
    NodeCase node = node_of(*op, {x});
    // An infinity times zero is no number; finite ones must be right.
    const std::string_view n = name;
    if (n == "Gelu" || n == "Mish" || n == "HardSwish" || n == "Softsign") {
      node.inputs = {Tensor::from<float>(DType::kF32, {18}, std::span(values).first(18)).take()};
    }
    check_node(*device, node);
  }
}

TEST_CASE("vulkan elementwise: Cast between all dtypes") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(9);
  const DType all[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kI8,
                       DType::kU8,  DType::kI16, DType::kU16,  DType::kI32,
                       DType::kU32, DType::kI64, DType::kU64,  DType::kBool};
  for (const DType from : all) {
    for (const DType to : all) {
      CAPTURE(std::string(dtype_name(from)));
      CAPTURE(std::string(dtype_name(to)));
      Tensor x = is_float(from) ? random_floats(random, from, {301}, -90, 90)
                 : from == DType::kBool
                     ? random_ints(random, from, {301}, 0, 1)
                     : random_ints(random, from, {301}, is_signed_integer(from) ? -100 : 0, 100);
      NodeCase node = node_of(find_op("Cast"), {x});
      static_cast<CastAttrs&>(*node.attrs).to = to;
      if (is_float(from) && !is_signed_integer(to) && !is_float(to) && to != DType::kBool) {
        node.inputs = {random_floats(random, from, {301}, 0, 90)};
      }
      check_node(*device, node);
    }
  }
}

TEST_CASE("vulkan elementwise: Cast of what the type cannot hold saturates or rounds once") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  const DType all[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kI8,
                       DType::kU8,  DType::kI16, DType::kU16,  DType::kI32,
                       DType::kU32, DType::kI64, DType::kU64,  DType::kBool};
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> floats = {
      std::nan(""), inf,     -inf,       3e9,      -3e9,    2147483648.0, -2147483648.0,
      1e10,         -1e10,   9.3e18,     -9.3e18,  2e19,    3e38,         -3e38,
      127.5,        -128.5,  255.9,      -0.9,     65519.0, 65520.0,      65535.9,
      32767.9,      -32769., 1.00390625, 16777217, 0.0,     1e-30,        2147483520.0};
  const std::vector<std::int64_t> whole = {INT64_MIN,
                                           INT64_MAX,
                                           -1,
                                           0,
                                           1,
                                           127,
                                           128,
                                           255,
                                           256,
                                           257,
                                           32767,
                                           32768,
                                           65535,
                                           65536,
                                           16777217,
                                           16777219,
                                           -16777217,
                                           2147483647,
                                           4294967295,
                                           1027,
                                           33023,
                                           33025,
                                           8388673,
                                           -2147483648,
                                           9007199254740993,
                                           -9007199254740993,
                                           4611686293305294849};
  for (const DType from : all) {
    for (const DType to : all) {
      CAPTURE(std::string(dtype_name(from)));
      CAPTURE(std::string(dtype_name(to)));
      const std::size_t count = is_float(from) ? floats.size() : whole.size();
      Tensor x = Tensor::allocate(from, Shape{static_cast<std::int64_t>(count)}).take();
      for (std::size_t i = 0; i < count; ++i) {
        std::byte* data = x.mutable_bytes().data();
        const auto at = static_cast<std::int64_t>(i);
        if (is_float(from)) {
          store_f64(from, data, at, floats[i]);
        } else {
          store_i64(from, data, at, from == DType::kBool ? whole[i] & 1 : whole[i]);
        }
      }
      NodeCase node = node_of(find_op("Cast"), {std::move(x)});
      static_cast<CastAttrs&>(*node.attrs).to = to;
      auto want = run_reference(node);
      auto got = run_device(*device, node);
      REQUIRE(want.ok());
      REQUIRE(got.ok());
      // To the bit, but for what a NaN's bits are.
      for (std::int64_t i = 0; i < (*want)[0].elements(); ++i) {
        const double a = element_as_f64((*got)[0], i);
        const double b = element_as_f64((*want)[0], i);
        CHECK_MESSAGE((a == b || (std::isnan(a) && std::isnan(b))), "element ", i, ": got ", a,
                      ", wanted ", b);
      }
    }
  }
}

TEST_CASE("vulkan chain: programs equal the reference") {
  Device* device = software_vulkan();
  if (device == nullptr) return;
  Random random(10);
  const auto f = [&](const Shape& shape) {
    return random_floats(random, DType::kF32, shape, -2, 2);
  };
  struct Case {
    std::vector<std::string> ops;
    std::vector<std::int64_t> args;
    std::vector<Tensor> inputs;
  };
  std::vector<Case> cases;
  cases.push_back(
      {{"Sigmoid", "Mul", "Mul"}, {0, -1, -1, 0, 2, -1, 3, 1, -1}, {f({5, 77}), f({5, 77})}});
  cases.push_back(
      {{"Add", "Tanh", "Sub"}, {0, 1, -1, 3, -1, -1, 4, 2, -1}, {f({3, 5, 7}), f({7}), f({5, 1})}});
  Case longest;
  for (int i = 0; i < 8; ++i) longest.inputs.push_back(f(i % 2 == 0 ? Shape{1031} : Shape{1}));
  for (std::int64_t s = 0; s < 16; ++s) {
    longest.ops.emplace_back(s % 2 == 0 ? "Add" : "Erf");
    longest.args.insert(longest.args.end(), {s == 0 ? 0 : 7 + s, s % 2 == 0 ? s / 2 : -1, -1});
  }
  cases.push_back(longest);
  for (const Case& c : cases) {
    NodeCase node = node_of(find_op("Chain", "polaris"), c.inputs);
    auto& attrs = static_cast<ChainAttrs&>(*node.attrs);
    attrs.ops = c.ops;
    attrs.args = c.args;
    check_node(*device, node);
  }
}

TEST_CASE("vulkan elementwise: operands above the binding limit are split or refused") {
  VulkanOptions options;
  options.binding_bytes_max = 1 << 16;
  auto device = make_test_vulkan(options);
  if (!device) return;
  Random random(11);
  const auto f = [&](const Shape& shape) { return random_floats(random, DType::kF32, shape); };
  check_node(*device, node_of(find_op("Add"), {f({50001}), f({50001})}));
  check_node(*device, node_of(find_op("Add"), {f({300, 1024}), f({1024})}));
  check_node(*device, node_of(find_op("Add"), {f({300, 1024}), f({300, 1})}));
  // Inner loops are cut where a row of the outermost is too long.
  check_node(*device, node_of(find_op("Add"), {f({3, 20000}), f({20000})}));
  NodeCase chain = node_of(find_op("Chain", "polaris"), {f({3, 20000}), f({20000}), f({3, 1})});
  static_cast<ChainAttrs&>(*chain.attrs).ops = {"Mul", "Add"};
  static_cast<ChainAttrs&>(*chain.attrs).args = {0, 1, -1, 3, 2, -1};
  check_node(*device, chain);
  check_node(*device, node_of(find_op("Add"), {f({3, 20001}), f({20001})}));
  check_node(*device,
             node_of(find_op("Where"),
                     {random_ints(random, DType::kBool, {3, 70001}, 0, 1), f({3, 1}), f({70001})}));
}

TEST_CASE("vulkan elementwise: without int64 arithmetic only what needs it is refused") {
  VulkanOptions options;
  options.hide = VulkanHide::everything();
  auto device = make_test_vulkan(options);
  if (!device) return;
  Random random(12);
  const Tensor x = random_ints(random, DType::kI64, {33}, -1000, 1000);
  auto refused = run_device(*device, node_of(find_op("Add"), {x, x}));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code() == ErrorCode::kUnsupported);
  for (const DType to : {DType::kF32, DType::kI32, DType::kU64, DType::kBool}) {
    NodeCase node = node_of(find_op("Cast"), {x});
    static_cast<CastAttrs&>(*node.attrs).to = to;
    check_node(*device, node);
  }
}
