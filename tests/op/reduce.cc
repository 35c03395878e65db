#include "ir/op_attrs/reduce.h"

#include <doctest/doctest.h>

#include "conformance/suite.h"

namespace polaris::test {
namespace {

std::shared_ptr<const Attrs> reduce(bool keepdims, bool noop = false) {
  return attrs<ReduceAttrs>([=](auto& a) { a.keepdims = keepdims, a.noop_with_empty_axes = noop; });
}

}  // namespace

TEST_CASE("Reduce ops") {
  for (const char* op :
       {"ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
        "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"}) {
    Suite s(op);
    const auto x = [](DType d, const Shape& shape) { return random(d, shape, 0.2, 1.5); };
    s.add("last", {x(DType::kF32, {5, 67}), int64s({-1})}, reduce(true));
    s.add("first", {x(DType::kF32, {13, 7}), int64s({0})}, reduce(false));
    s.add("middle", {x(DType::kF32, {3, 5, 7}), int64s({1})}, reduce(true));
    s.add("two", {x(DType::kF32, {3, 5, 7, 2}), int64s({0, 2})}, reduce(false));
    s.add("all", {x(DType::kF32, {3, 5, 7})}, reduce(false));
    s.add("none", {x(DType::kF32, {3, 5}), int64s({})}, reduce(true, true));
    s.add("long", {x(DType::kF32, {2, 1031}), int64s({1})}, reduce(false), {1, 2, {}});
    s.add("one", {x(DType::kF32, {5, 1}), int64s({1})}, reduce(false));
    s.add("scalar", {x(DType::kF32, {})}, reduce(false));
    s.add("f16", {x(DType::kF16, {5, 17}), int64s({1})}, reduce(false));
    s.add("f16 long", {x(DType::kF16, {3, 301}), int64s({1})}, reduce(true));
    s.add("bf16", {x(DType::kBF16, {5, 17}), int64s({0})}, reduce(false));
    s.add("nothing", {x(DType::kF32, {3, 0}), int64s({1})}, reduce(false));
    s.add("f64", {x(DType::kF64, {5, 17}), int64s({1})}, reduce(false));
    s.add("i32", {random_ints(DType::kI32, {5, 7}, 1, 5), int64s({1})}, reduce(false));
    s.add("i64", {random_ints(DType::kI64, {5, 7}, 1, 5), int64s({0})}, reduce(true));
    s.add("i32 long", {random_ints(DType::kI32, {3, 301}, 1, 2), int64s({1})}, reduce(true));
    s.add("u32", {random_ints(DType::kU32, {5, 7}, 1, 5), int64s({1})}, reduce(true));
    s.fails("axis", {x(DType::kF32, {3}), int64s({1})}, reduce(true), "axis, got 1");
    s.run();
  }
  Suite sum("ReduceSum");
  sum.add("wraps", {random_bits(DType::kI64, {5, 7}), int64s({1})}, reduce(true));
  sum.add("wraps i32", {random_bits(DType::kI32, {5, 7}), int64s({1})}, reduce(true));
  sum.run();
  Suite l1("ReduceL1");
  l1.add("signs", {random_bits(DType::kI32, {5, 7}), int64s({1})}, reduce(true));
  l1.run();
  Suite mean("ReduceMean");
  mean.add("signs", {random_ints(DType::kI32, {5, 7}, -99, 99), int64s({1})}, reduce(true));
  mean.add("large", {random_ints(DType::kI32, {5, 7}, 2000000000, 2147483647), int64s({1})},
           reduce(true));
  mean.run();
  Suite root("ReduceL2");
  root.add("squares", {values(DType::kI64, {3, 2}, {3, 4, -5, 12, 46341, 46341}), int64s({1})},
           reduce(true));
  root.add("square above 2^63", {values(DType::kI64, {1, 1}, {3037000500.0}), int64s({1})},
           reduce(true));
  root.run();
  for (const char* op : {"ReduceMax", "ReduceMin"}) {
    Suite s(op);
    s.add("u8", {random_bits(DType::kU8, {5, 7}), int64s({1})}, reduce(true));
    s.add("i8", {random_bits(DType::kI8, {5, 7}), int64s({1})}, reduce(true));
    s.add("u32 bits", {random_bits(DType::kU32, {5, 7}), int64s({1})}, reduce(true));
    s.add("u64", {random_bits(DType::kU64, {5, 7}), int64s({1})}, reduce(true));
    s.add("nan", {with_specials(random(DType::kF32, {3, 31})), int64s({1})}, reduce(true));
    s.add("nan long", {with_specials(random(DType::kF32, {2, 301})), int64s({1})}, reduce(true));
    s.add("bool", {random(DType::kBool, {5, 3}), int64s({1})}, reduce(true));
    s.run();
  }
}

TEST_CASE("ArgMax, ArgMin") {
  for (const char* op : {"ArgMax", "ArgMin"}) {
    Suite s(op);
    for (const bool last : {false, true}) {
      for (int axis : {0, 1, -1}) {
        s.add("axis " + std::to_string(axis) + (last ? " last" : ""),
              {random_ints(DType::kF32, {5, 7, 3}, 0, 3)}, attrs<ArgReduceAttrs>([=](auto& a) {
                a.axis = axis, a.select_last_index = last;
                a.keepdims = last;
              }));
      }
    }
    s.add("i32", {random(DType::kI32, {5, 7})});
    s.add("u8", {random(DType::kU8, {5, 7})});
    s.add("i64", {random_bits(DType::kI64, {5, 7})});
    s.add("u64", {random_bits(DType::kU64, {5, 7})});
    s.add("f16", {random_ints(DType::kF16, {5, 7}, 0, 3)});
    s.add("bf16", {random_ints(DType::kBF16, {5, 7}, 0, 3)});
    s.add("i32 long", {random_ints(DType::kI32, {1, 4099}, -9, 9)},
          attrs<ArgReduceAttrs>([](auto& a) { a.axis = 1; }));
    s.add("long", {random(DType::kF32, {1, 4099})},
          attrs<ArgReduceAttrs>([](auto& a) { a.axis = 1; }));
    s.run();
  }
}

TEST_CASE("CumSum, CumProd") {
  for (const char* op : {"CumSum", "CumProd"}) {
    Suite s(op);
    for (const bool exclusive : {false, true}) {
      for (const bool reverse : {false, true}) {
        const auto attr =
            attrs<CumSumAttrs>([=](auto& a) { a.exclusive = exclusive, a.reverse = reverse; });
        const std::string name =
            std::string(exclusive ? "exclusive " : "") + (reverse ? "reverse" : "");
        s.add("f32 " + name, {random(DType::kF32, {5, 17}), scalar(DType::kI64, 1)}, attr);
        s.add("i32 " + name, {random(DType::kI32, {5, 7, 3}), scalar(DType::kI32, -3)}, attr);
      }
    }
    for (DType d : {DType::kF16, DType::kBF16, DType::kU32, DType::kI64, DType::kU64}) {
      s.add(dtype_name(d), {random(d, {5, 7, 3}), scalar(DType::kI64, 1)});
    }
    s.fails("axis", {random(DType::kF32, {3}), scalar(DType::kI64, 1)}, nullptr, "axis, got 1");
    s.run();
  }
}

TEST_CASE("TopK") {
  Suite s("TopK");
  const auto top = [](std::int64_t axis, bool largest) {
    return attrs<TopKAttrs>([=](auto& a) { a.axis = axis, a.largest = largest; });
  };
  s.add("largest", {random(DType::kF32, {5, 17}), int64s({3})}, top(-1, true), {2, 1, {}});
  s.add("smallest", {random(DType::kF32, {7, 5}), int64s({4})}, top(0, false), {2, 1, {}});
  s.add("ties", {random_ints(DType::kI64, {3, 17}, 0, 3), int64s({9})}, top(1, true), {2, 1, {}});
  s.add("all", {random(DType::kF32, {5}), int64s({5})}, top(0, true), {2, 1, {}});
  s.add("none", {random(DType::kF32, {5}), int64s({0})}, top(0, true), {2, 1, {}});
  s.add("signs", {values(DType::kF32, {7}, {-1, 2, -3, 0, -2, 1, 3}), int64s({7})}, top(0, true),
        {2, 1, {}});
  s.add("middle", {random(DType::kF32, {3, 67, 2}), int64s({5})}, top(1, false), {2, 1, {}});
  for (DType d : {DType::kF16, DType::kI32, DType::kU8, DType::kU32, DType::kU64}) {
    s.add(dtype_name(d), {random_bits(d, {3, 17}), int64s({4})}, top(-1, true), {2, 1, {}});
  }
  // Lines of one part and of several, of one round, two and three.
  s.add("long", {random(DType::kF32, {3, 1031}), int64s({40})}, top(-1, true), {2, 1, {}});
  s.add("two rounds", {random(DType::kF32, {2, 5003}), int64s({128})}, top(-1, true), {2, 1, {}});
  s.add("three rounds", {random(DType::kF32, {2, 40009}), int64s({130})}, top(-1, true),
        {2, 1, {}});
  s.add("long, one", {random(DType::kF32, {1, 4099}), int64s({1})}, top(-1, false), {2, 1, {}});
  s.add("long, many", {random(DType::kF32, {4099}), int64s({1024})}, top(0, true), {2, 1, {}});
  s.add("long columns", {random(DType::kF32, {2, 2053, 3}), int64s({7})}, top(1, false),
        {2, 1, {}});
  for (DType d : {DType::kI32, DType::kU32, DType::kU8}) {
    s.add("long ties " + std::string(dtype_name(d)),
          {random_ints(d, {3, 6007}, 0, 9), int64s({70})}, top(-1, true), {2, 1, {}});
  }
  for (DType d : {DType::kF32, DType::kF16, DType::kBF16, DType::kI8, DType::kI16, DType::kU32}) {
    s.add("long bits " + std::string(dtype_name(d)), {random_bits(d, {2, 3001}), int64s({33})},
          top(-1, d != DType::kI8), {2, 1, {}});
  }
  s.fails("k", {random(DType::kF32, {5}), int64s({6})}, top(0, true), "K, got 6", 2);
  s.run();
}

TEST_CASE("NonZero") {
  Suite s("NonZero");
  for (DType d : {DType::kF32, DType::kI64, DType::kI32, DType::kU8, DType::kBool}) {
    s.add(dtype_name(d), {random_ints(d, {5, 7}, 0, 1)});
  }
  s.add("vector", {random_ints(DType::kF32, {67}, 0, 1)});
  s.add("3D", {random_ints(DType::kBool, {3, 5, 2}, 0, 1)});
  s.add("all zero", {values(DType::kF32, {3, 2}, {})});
  s.add("empty", {random(DType::kF32, {3, 0})});
  s.run();
}

}  // namespace polaris::test
