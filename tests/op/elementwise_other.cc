#include <doctest/doctest.h>

#include <cmath>

#include "conformance/suite.h"
#include "ir/op_attrs/chain.h"
#include "ir/op_attrs/elementwise.h"

namespace polaris::test {

TEST_CASE("Where") {
  Suite s("Where");
  for (DType d : {DType::kF32, DType::kF16, DType::kI64, DType::kI32, DType::kU8, DType::kBool}) {
    s.add(dtype_name(d), {random(DType::kBool, {5, 7}), random(d, {7}), random(d, {5, 1})});
  }
  s.add("equal",
        {random(DType::kBool, {5, 7}), random(DType::kF32, {5, 7}), random(DType::kF32, {5, 7})});
  s.add("scalar condition",
        {random(DType::kBool, {}), random(DType::kF32, {3}), random(DType::kF32, {2, 1})});
  s.add("empty", {random(DType::kBool, {0, 3}), random(DType::kF32, {3}), random(DType::kF32, {})});
  s.fails("condition",
          {random(DType::kF32, {2}), random(DType::kF32, {2}), random(DType::kF32, {2})}, nullptr,
          "wanted bool");
  s.run();
}

TEST_CASE("Clip") {
  Suite s("Clip");
  for (DType d : {DType::kF32, DType::kF16, DType::kF64, DType::kI8, DType::kU8, DType::kI32,
                  DType::kI64, DType::kU64}) {
    s.add(dtype_name(d), {random_bits(d, {3, 37}), scalar(d, 1), scalar(d, 3)});
  }
  s.add("low only", {random(DType::kF32, {41}), scalar(DType::kF32, -0.5), absent()});
  s.add("high only", {random(DType::kF32, {41}), absent(), scalar(DType::kF32, 0.5)});
  s.add("none", {random(DType::kF32, {41})});
  s.add("crossed", {random(DType::kF32, {41}), scalar(DType::kF32, 1), scalar(DType::kF32, -1)});
  s.add("constants", {random(DType::kF32, {41}), scalar(DType::kF32, -1), scalar(DType::kF32, 1)},
        nullptr, {1, 1, {1, 2}});
  s.add("infinities", {values(DType::kF32, {4}, {INFINITY, -INFINITY, -0.0, 5}),
                       scalar(DType::kF32, -1), scalar(DType::kF32, 1)});
  s.fails("vector", {random(DType::kF32, {4}), random(DType::kF32, {2})}, nullptr,
          "size of a limit");
  s.run();
}

TEST_CASE("Cast") {
  Suite s("Cast");
  const DType all[] = {DType::kF32, DType::kF16, DType::kF64, DType::kBF16, DType::kI8,
                       DType::kU8,  DType::kI16, DType::kU16, DType::kI32,  DType::kU32,
                       DType::kI64, DType::kU64, DType::kBool};
  for (DType from : all) {
    for (DType to : all) {
      const auto attr = attrs<CastAttrs>([to](auto& a) { a.to = to; });
      const std::string name = std::string(dtype_name(from)) + " to " + std::string(dtype_name(to));
      // What a float cannot be as an integer is left to the device but for signs and truncation.
      const bool narrow = is_float(from) && !is_float(to);
      const bool no_sign = narrow && !is_signed_integer(to) && to != DType::kBool;
      s.add(name,
            {narrow ? random(from, {3, 17}, no_sign ? 0 : -99, 99) : random_bits(from, {3, 17})},
            attr);
    }
  }
  s.add("empty", {random(DType::kF32, {0})}, attrs<CastAttrs>([](auto& a) { a.to = DType::kI32; }));
  s.run();
  Suite like("CastLike");
  like.add("f32 to i32", {random(DType::kF32, {3, 5}, -9, 9), random(DType::kI32, {1})});
  like.add("i64 to f16", {random(DType::kI64, {3, 5}), random(DType::kF16, {})});
  like.run();
}

TEST_CASE("Chain") {
  Suite s("Chain", "polaris");
  const auto chain = [](std::vector<std::string> ops, std::vector<std::int64_t> args) {
    return attrs<ChainAttrs>([&](auto& a) { a.ops = ops, a.args = args; });
  };
  s.add("silu times up", {random(DType::kF32, {5, 37}), random(DType::kF32, {5, 37})},
        chain({"Sigmoid", "Mul", "Mul"}, {0, -1, -1, 0, 2, -1, 3, 1, -1}));
  s.add("broadcast",
        {random(DType::kF32, {5, 37}), random(DType::kF32, {37}), random(DType::kF32, {5, 1})},
        chain({"Add", "Relu", "Mul"}, {0, 1, -1, 3, -1, -1, 4, 2, -1}));
  s.add("one step", {random(DType::kF32, {1031})}, chain({"Tanh"}, {0, -1, -1}));
  s.add(
      "long", {random(DType::kF32, {3, 5}, 0.5, 2), random(DType::kF32, {5}, 0.5, 2)},
      chain({"Mul", "Sqrt", "Add", "Exp", "Reciprocal", "Sub", "Abs", "Neg"},
            {0, 1, -1, 2, -1, -1, 3, 0, -1, 4, -1, -1, 5, -1, -1, 6, 1, -1, 7, -1, -1, 8, -1, -1}));
  s.add("scalar", {random(DType::kF32, {}), random(DType::kF32, {})}, chain({"Max"}, {0, 1, -1}));
  for (DType d : {DType::kF16, DType::kBF16}) {
    s.add(dtype_name(d), {random(d, {5, 37}), random(d, {5, 37})},
          chain({"Sigmoid", "Mul", "Mul"}, {0, -1, -1, 0, 2, -1, 3, 1, -1}));
    s.add(std::string(dtype_name(d)) + " broadcast",
          {random(d, {5, 37}, 0.1, 2), random(d, {37}, 0.1, 2), random(d, {5, 1}, 0.1, 2)},
          chain({"Add", "Relu", "Mul"}, {0, 1, -1, 3, -1, -1, 4, 2, -1}));
    s.add(std::string(dtype_name(d)) + " long", {random(d, {1031}), random(d, {})},
          chain({"Tanh", "Add"}, {0, -1, -1, 2, 1, -1}));
  }
  s.add("empty", {random(DType::kF32, {0, 3})}, chain({"Exp"}, {0, -1, -1}));
  s.fails("no ops", {random(DType::kF32, {2})}, nullptr, "args");
  s.fails("unknown", {random(DType::kF32, {2})}, chain({"MatMul"}, {0, -1, -1}), "'MatMul'");
  s.fails("forward", {random(DType::kF32, {2})}, chain({"Exp"}, {1, -1, -1}), "argument 0");
  s.fails("integers", {random(DType::kI32, {2})}, chain({"Abs"}, {0, -1, -1}), "type, got int32");
  s.run();
}

}  // namespace polaris::test
