#include "ir/op_attrs/select.h"

#include <doctest/doctest.h>

#include "conformance/suite.h"

namespace polaris::test {
namespace {

constexpr DType kF = DType::kF32;
constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kI8, DType::kI64, DType::kBool};

}  // namespace

TEST_CASE("OneHot, Trilu, EyeLike") {
  Suite hot("OneHot");
  const auto at = [](std::int64_t axis) {
    return attrs<OneHotAttrs>([=](auto& a) { a.axis = axis; });
  };
  for (DType d : {DType::kI64, DType::kU8, DType::kF32}) {
    hot.add(dtype_name(d),
            {random_ints(d, {3, 4}, 0, 6), scalar(DType::kI64, 5), values(kF, {2}, {-1, 2})});
  }
  hot.add("from the end", {int64s({-5, -6, -1, 4, 5}), scalar(DType::kI32, 5), int64s({0, 7})},
          at(0));
  hot.add("float depth", {values(kF, {3}, {1, -1, 2.5}), values(kF, {1}, {3}), int64s({0, 1})});
  hot.add("none", {int64s({0, 1}), scalar(DType::kI64, 0), int64s({0, 1})});
  hot.fails("depth", {int64s({0}), scalar(DType::kI64, -1), int64s({0, 1})}, nullptr, "depth, got");
  hot.fails("values", {int64s({0}), scalar(DType::kI64, 2), int64s({0})}, nullptr,
            "number of values, got 1");
  hot.fails("axis", {int64s({0}), scalar(DType::kI64, 2), int64s({0, 1})}, at(2), "axis, got 2");
  hot.run();
  Suite tri("Trilu");
  const auto lower = attrs<TriluAttrs>([](auto& a) { a.upper = false; });
  for (DType d : kTypes) tri.add(dtype_name(d), {random(d, {2, 4, 5}), scalar(DType::kI64, 1)});
  tri.add("lower", {random(kF, {3, 5}), int64s({-1})}, lower);
  tri.add("far", {random(kF, {3, 5}), int64s({INT64_MAX})}, lower);
  tri.add("empty", {random(kF, {3, 0})});
  tri.fails("rank", {random(kF, {3})}, nullptr, "rank, got [3]");
  tri.fails("k", {random(kF, {3, 3}), int64s({1, 2})}, nullptr, "size of k, got 2");
  tri.run();
  Suite eye("EyeLike");
  eye.add("f32", {random(kF, {3, 5})});
  eye.add("i64 above", {random(kF, {4, 3})}, attrs<EyeLikeAttrs>([](auto& a) {
            a.dtype = DType::kI64;
            a.k = 1;
          }));
  eye.add("beside", {random(kF, {4, 3})}, attrs<EyeLikeAttrs>([](auto& a) { a.k = INT64_MIN; }));
  eye.fails("rank", {random(kF, {3})}, nullptr, "rank, got [3]");
  eye.fails("type", {random(kF, {3, 3})},
            attrs<EyeLikeAttrs>([](auto& a) { a.dtype = DType::kF8E4M3FN; }), "dtype, got");
  eye.run();
}

TEST_CASE("ReverseSequence, CenterCropPad, TensorScatter") {
  Suite back("ReverseSequence");
  const auto batch_first = attrs<ReverseSequenceAttrs>([](auto& a) {
    a.batch_axis = 0;
    a.time_axis = 1;
  });
  for (DType d : kTypes) back.add(dtype_name(d), {random(d, {5, 3, 2}), int64s({0, 5, 3})});
  back.add("batch first", {random(kF, {3, 5}), int64s({1, 2, 4})}, batch_first);
  back.fails("length", {random(kF, {5, 3}), int64s({0, 6, 3})}, nullptr,
             "sequence_lens, got 6, wanted 0 to 5");
  back.fails("count", {random(kF, {5, 3}), int64s({0})}, nullptr, "number of sequence_lens, got 1");
  back.fails("axes", {random(kF, {5, 3}), int64s({0, 0, 0})},
             attrs<ReverseSequenceAttrs>([](auto& a) { a.time_axis = 1; }), "got 1 and 1");
  back.run();
  Suite crop("CenterCropPad");
  const auto axes = [](std::vector<std::int64_t> v) {
    return attrs<CenterCropPadAttrs>([&](auto& a) { a.axes = v; });
  };
  for (DType d : kTypes) crop.add(dtype_name(d), {random(d, {4, 7}), int64s({7, 4})});
  crop.add("some axes", {random(kF, {4, 5, 6}), int64s({3, 8})}, axes({-1, 0}));
  crop.add("to none", {random(kF, {4}), int64s({0})});
  crop.fails("twice", {random(kF, {4, 5}), int64s({3, 8})}, axes({1, -1}), "axes, got -1 twice");
  crop.fails("count", {random(kF, {4, 5}), int64s({3})}, nullptr, "number of sizes, got 1");
  crop.fails("size", {random(kF, {4}), int64s({-3})}, nullptr, "size, got -3");
  crop.run();
  Suite cache("TensorScatter");
  const auto circular = attrs<TensorScatterAttrs>([](auto& a) { a.mode = "circular"; });
  for (DType d : kTypes) {
    cache.add(dtype_name(d), {random(d, {2, 3, 5, 2}), random(d, {2, 3, 2, 2}), int64s({3, 0})});
  }
  cache.add("circular", {random(kF, {2, 5, 3}), random(kF, {2, 4, 3}), int64s({4, 2})}, circular);
  cache.add("no indices", {random(kF, {2, 5, 3}), random(kF, {2, 4, 3})});
  cache.fails("index", {random(kF, {2, 5, 3}), random(kF, {2, 4, 3}), int64s({0, 2})}, nullptr,
              "write_indices, got 2, wanted 0 to 1");
  cache.fails("room", {random(kF, {2, 5, 3}), random(kF, {2, 6, 3})}, nullptr, "dim 1 of update");
  cache.fails("axis", {random(kF, {5, 3}), random(kF, {4, 3})}, nullptr,
              "axis, got that of the batch");
  cache.fails("mode", {random(kF, {2, 5, 3}), random(kF, {2, 4, 3})},
              attrs<TensorScatterAttrs>([](auto& a) { a.mode = "ring"; }), "mode, got 'ring'");
  cache.run();
}

TEST_CASE("Compress, Unique") {
  Suite some("Compress");
  const auto along = [](std::int64_t axis) {
    return attrs<CompressAttrs>([=](auto& a) { a.axis = axis; });
  };
  const Tensor condition = values(DType::kBool, {3}, {1, 0, 1});
  for (DType d : kTypes) some.add(dtype_name(d), {random(d, {2, 4}), condition}, along(1));
  some.add("flat", {random(kF, {2, 4}), condition});
  some.add("beyond, but false", {random(kF, {2, 4}), values(DType::kBool, {4}, {1, 1, 0, 0})},
           along(0));
  some.fails("beyond", {random(kF, {2, 4}), condition}, along(0), "got a true at 2");
  some.fails("axis", {random(kF, {2, 4}), condition}, along(2), "axis, got 2");
  some.run();
  Suite different("Unique");
  const auto of = [](std::int64_t axis, bool sorted) {
    return attrs<UniqueAttrs>([=](auto& a) {
      a.axis = axis;
      a.sorted = sorted;
    });
  };
  for (const bool sorted : {false, true}) {
    for (DType d : {DType::kI64, DType::kU64, DType::kF32, DType::kBool}) {
      different.add(dtype_name(d), {random_ints(d, {3, 4, 2}, 0, 2)}, of(kNoAxis, sorted),
                    {4, 1, {}});
    }
    different.add("axis", {random_ints(kF, {2, 6, 2}, 0, 1)}, of(1, sorted), {4, 1, {}});
    different.add("slices of none", {random(kF, {3, 0})}, of(0, sorted), {4, 1, {}});
  }
  different.add("none", {random(kF, {0})}, nullptr, {4, 1, {}});
  different.add("scalar", {random(kF, {})}, nullptr, {2, 1, {}});
  different.fails("axis", {random(kF, {2, 4})}, of(-3, true), "axis, got -3");
  different.run();
}

}  // namespace polaris::test
