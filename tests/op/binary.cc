#include <doctest/doctest.h>

#include "conformance/suite.h"
#include "ir/op_attrs/elementwise.h"

namespace polaris::test {
namespace {

/// Shapes that broadcast every way.
struct Pair {
  const char* name;
  Shape a;
  Shape b;
};
const Pair kPairs[] = {
    {"equal", {3, 5, 7}, {3, 5, 7}},
    {"row", {3, 5, 7}, {7}},
    {"column", {5, 7}, {5, 1}},
    {"both", {3, 1, 7}, {5, 1}},
    {"scalar", {3, 5}, {}},
    {"scalar first", {}, {11}},
    {"empty", {0, 3}, {3}},
    {"scalars", {}, {}},
    {"ranks", {2, 1, 3, 1}, {1, 5, 1, 7}},
    {"long", {1031}, {1031}},
    {"inner", {4, 3, 5}, {3, 1}},
};

}  // namespace

TEST_CASE("binary ops of floats") {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu", "Sum", "Mean"}) {
    const bool positive = std::string_view(op) == "Pow" || std::string_view(op) == "Div";
    const bool one_way = std::string_view(op) == "PRelu";
    Suite s(op);
    for (const Pair& p : kPairs) {
      const bool both_ways = std::string_view(p.name) == "both" ||
                             std::string_view(p.name) == "ranks" ||
                             std::string_view(p.name) == "scalar first";
      if (one_way && both_ways) continue;
      s.add(std::string("f32 ") + p.name, {random(DType::kF32, p.a, positive ? 0.2 : -3, 3),
                                           random(DType::kF32, p.b, positive ? 0.2 : -3, 3)});
    }
    s.add("f16", {random(DType::kF16, {5, 7}, 0.2, 3), random(DType::kF16, {7}, 0.2, 3)});
    s.add("bf16", {random(DType::kBF16, {5, 7}, 0.2, 3), random(DType::kBF16, {7}, 0.2, 3)});
    s.add("f64", {random(DType::kF64, {5, 7}, 0.2, 3), random(DType::kF64, {7}, 0.2, 3)});
    s.fails("clash", {random(DType::kF32, {3}), random(DType::kF32, {4})}, nullptr, "got [4]");
    s.run();
  }
}

TEST_CASE("binary ops of integers") {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min"}) {
    Suite s(op);
    for (DType d : {DType::kI8, DType::kU8, DType::kI16, DType::kU16, DType::kI32, DType::kU32,
                    DType::kI64, DType::kU64}) {
      s.add(dtype_name(d), {random_bits(d, {3, 37}), random_bits(d, {37})});
    }
    s.fails("mixed", {random(DType::kF32, {3}), random(DType::kI32, {3})}, nullptr, "type");
    s.run();
  }
  Suite div("Div");
  div.add("by zero and -1", {values(DType::kI32, {4}, {7, -7, -2147483648.0, 5}),
                             values(DType::kI32, {4}, {0, 2, -1, -3})});
  div.run();
  Suite p("Pow");
  p.add("i32", {random_ints(DType::kI32, {9}, -5, 5), random_ints(DType::kI32, {9}, 0, 5)});
  p.add("f32 ** i32", {random(DType::kF32, {9}), random_ints(DType::kI32, {9}, 0, 3)});
  p.add("i32 ** f32", {random_ints(DType::kI32, {9}, 1, 5), values(DType::kF32, {1}, {2})});
  p.run();
}

TEST_CASE("comparisons") {
  for (const char* op : {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"}) {
    Suite s(op);
    for (DType d : {DType::kF32, DType::kF16, DType::kF64, DType::kI8, DType::kU8, DType::kI32,
                    DType::kU32, DType::kI64, DType::kU64}) {
      s.add(dtype_name(d), {random_ints(d, {5, 37}, 0, 3), random_ints(d, {37}, 0, 3)});
    }
    s.add("u64 large", {values(DType::kU64, {2}, {18446744073709549568.0, 1}),
                        values(DType::kU64, {2}, {1, 18446744073709549568.0})});
    s.add("specials", {with_specials(random(DType::kF32, {31})), random(DType::kF32, {1})});
    s.add("scalar", {random(DType::kF32, {}), random(DType::kF32, {})});
    s.run();
  }
}

TEST_CASE("logic and bits") {
  for (const char* op : {"And", "Or", "Xor", "Equal"}) {
    Suite s(op);
    s.add("bool", {random(DType::kBool, {5, 7}), random(DType::kBool, {7})});
    s.add("bool scalar", {random(DType::kBool, {}), random(DType::kBool, {3})});
    s.run();
  }
  for (const char* op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"}) {
    Suite s(op);
    for (DType d : {DType::kI8, DType::kU8, DType::kI16, DType::kI32, DType::kU32, DType::kI64}) {
      s.add(dtype_name(d), {random_bits(d, {5, 7}), random_bits(d, {5, 1})});
    }
    s.run();
  }
  Suite shift("BitShift");
  for (const char* direction : {"LEFT", "RIGHT"}) {
    for (DType d : {DType::kU8, DType::kU16, DType::kU32, DType::kU64}) {
      shift.add(std::string(direction) + " " + std::string(dtype_name(d)),
                {random_bits(d, {5, 7}), random_ints(d, {7}, 0, 9)},
                attrs<BitShiftAttrs>([&](auto& a) { a.direction = direction; }));
    }
  }
  shift.fails("direction", {random_bits(DType::kU8, {2}), random_bits(DType::kU8, {2})}, nullptr,
              "wanted LEFT or RIGHT");
  shift.run();
}

TEST_CASE("Mod") {
  Suite s("Mod");
  const auto fmod = attrs<ModAttrs>([](auto& a) { a.fmod = true; });
  for (DType d : {DType::kI8, DType::kI32, DType::kI64}) {
    s.add(dtype_name(d), {random_ints(d, {5, 7}, -20, 20), random_ints(d, {7}, -4, 4)});
    s.add("fmod", {random_ints(d, {5, 7}, -20, 20), random_ints(d, {7}, -4, 4)}, fmod);
  }
  s.add("u8", {random_bits(DType::kU8, {5, 7}), random_bits(DType::kU8, {7})});
  s.add("fmod f32", {random(DType::kF32, {5, 7}, -9, 9), random(DType::kF32, {7}, 0.5, 2)}, fmod);
  s.fails("f32", {random(DType::kF32, {2}), random(DType::kF32, {2})}, nullptr, "type");
  s.run();
}

TEST_CASE("variadic ops") {
  for (const char* op : {"Sum", "Mean", "Max", "Min"}) {
    Suite s(op);
    s.add("one", {random(DType::kF32, {5, 7})});
    s.add("three",
          {random(DType::kF32, {5, 7}), random(DType::kF32, {7}), random(DType::kF32, {5, 1})});
    s.run();
  }
  Suite max("Max");
  max.add("nan", {with_specials(random(DType::kF32, {31})), random(DType::kF32, {31})});
  max.run();
}

}  // namespace polaris::test
