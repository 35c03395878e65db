#include "ir/op_attrs/shape.h"

#include <doctest/doctest.h>

#include "conformance/suite.h"

namespace polaris::test {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kI8, DType::kI64, DType::kBool};

}  // namespace

TEST_CASE("Reshape, Flatten, Squeeze, Unsqueeze") {
  Suite reshape("Reshape");
  for (DType d : kTypes) reshape.add(dtype_name(d), {random(d, {3, 4, 5}), int64s({5, -1, 2})});
  reshape.add("copied dim", {random(DType::kF32, {3, 4, 5}), int64s({0, -1})});
  reshape.add("to scalar", {random(DType::kF32, {1}), int64s({})});
  reshape.add("empty", {random(DType::kF32, {0, 3}), int64s({3, 0})},
              attrs<ReshapeAttrs>([](auto& a) { a.allowzero = true; }));
  reshape.fails("elements", {random(DType::kF32, {3, 4}), int64s({5, -1})}, nullptr, "elements");
  reshape.fails("two holes", {random(DType::kF32, {3, 4}), int64s({-1, -1})}, nullptr, "got -1");
  reshape.fails("size", {random(DType::kF32, {3, 4}), int64s({13})}, nullptr, "elements");
  reshape.fails("negative", {random(DType::kF32, {3, 4}), int64s({-2, 6})}, nullptr, "got -2");
  reshape.run();
  Suite flatten("Flatten");
  for (int axis : {0, 1, 2, 3, -1}) {
    flatten.add("axis " + std::to_string(axis), {random(DType::kF32, {3, 4, 5})},
                attrs<FlattenAttrs>([=](auto& a) { a.axis = axis; }));
  }
  flatten.run();
  Suite squeeze("Squeeze");
  squeeze.add("all", {random(DType::kF32, {1, 3, 1})});
  squeeze.add("axes", {random(DType::kI32, {1, 3, 1}), int64s({-1})});
  squeeze.fails("size", {random(DType::kF32, {1, 3}), int64s({1})}, nullptr, "size of a squeezed");
  squeeze.run();
  Suite unsqueeze("Unsqueeze");
  unsqueeze.add("axes", {random(DType::kF32, {3, 4}), int64s({0, -1})});
  unsqueeze.fails("twice", {random(DType::kF32, {3}), int64s({0, 0})}, nullptr, "named twice");
  unsqueeze.run();
}

TEST_CASE("Transpose") {
  Suite s("Transpose");
  const auto perm = [](std::vector<std::int64_t> p) {
    return attrs<TransposeAttrs>([&](auto& a) { a.perm = p; });
  };
  for (DType d : kTypes) s.add(dtype_name(d), {random(d, {7, 13})});
  s.add("large", {random(DType::kF32, {67, 131})});
  s.add("3D", {random(DType::kF32, {3, 5, 7})}, perm({1, 0, 2}));
  s.add("4D", {random(DType::kF32, {2, 3, 5, 7})}, perm({0, 2, 3, 1}));
  s.add("5D", {random(DType::kF32, {2, 3, 2, 5, 3})}, perm({4, 1, 3, 0, 2}));
  s.add("same", {random(DType::kF32, {3, 5})}, perm({0, 1}));
  s.add("ones", {random(DType::kF32, {1, 5, 1, 7})}, perm({2, 1, 0, 3}));
  s.add("scalar", {random(DType::kF32, {})});
  s.add("empty", {random(DType::kF32, {3, 0})});
  s.fails("perm", {random(DType::kF32, {3, 5})}, perm({0, 0}), "each axis once");
  s.run();
}

TEST_CASE("Slice") {
  Suite s("Slice");
  for (DType d : kTypes) s.add(dtype_name(d), {random(d, {7, 13}), int64s({1, 2}), int64s({5, 9})});
  s.add("axes", {random(DType::kF32, {3, 7, 5}), int64s({-4}), int64s({INT64_MAX}), int64s({1})});
  s.add("steps", {random(DType::kF32, {17, 13}), int64s({1, 12}), int64s({16, INT64_MIN}),
                  int64s({0, 1}), int64s({3, -2})});
  s.add("clamped", {random(DType::kF32, {7}), int64s({-100}), int64s({100})});
  s.add("none left", {random(DType::kF32, {7, 3}), int64s({5}), int64s({2})});
  s.add("backwards",
        {random(DType::kI64, {9}), int64s({-1}), int64s({-100}), int64s({0}), int64s({-1})});
  s.fails("step", {random(DType::kF32, {7}), int64s({0}), int64s({1}), int64s({0}), int64s({0})},
          nullptr, "no step of 0");
  s.fails("lengths", {random(DType::kF32, {7}), int64s({0}), int64s({1, 2})}, nullptr, "lengths");
  s.run();
}

TEST_CASE("Concat") {
  Suite s("Concat");
  const auto axis = [](std::int64_t v) { return attrs<ConcatAttrs>([=](auto& a) { a.axis = v; }); };
  for (DType d : kTypes) s.add(dtype_name(d), {random(d, {3, 5}), random(d, {2, 5})}, axis(0));
  s.add("inner",
        {random(DType::kF32, {3, 5, 2}), random(DType::kF32, {3, 1, 2}),
         random(DType::kF32, {3, 7, 2})},
        axis(1));
  s.add("last", {random(DType::kF32, {3, 5}), random(DType::kF32, {3, 2})}, axis(-1));
  s.add("one", {random(DType::kF32, {3, 5})}, axis(0));
  s.add("empty parts", {random(DType::kF32, {0, 5}), random(DType::kF32, {2, 5})}, axis(0));
  s.fails("dims", {random(DType::kF32, {3, 5}), random(DType::kF32, {3, 4})}, axis(0),
          "dim 1 of input 1, got 4, wanted 5");
  s.run();
}

TEST_CASE("Split") {
  Suite s("Split");
  const auto split = [](std::int64_t axis, std::int64_t n) {
    return attrs<SplitAttrs>([=](auto& a) { a.axis = axis, a.num_outputs = n; });
  };
  for (DType d : kTypes) {
    s.add(dtype_name(d), {random(d, {7, 5}), int64s({2, 4, 1})}, split(0, 0), {3, 1, {}});
  }
  s.add("inner", {random(DType::kF32, {3, 8, 5})}, split(1, 2), {2, 1, {}});
  s.add("uneven", {random(DType::kF32, {7})}, split(0, 3), {3, 1, {}});
  s.add("empty part", {random(DType::kF32, {3, 4}), int64s({0, 4})}, split(1, 0), {2, 1, {}});
  s.fails("sum", {random(DType::kF32, {3, 4}), int64s({1, 4})}, split(1, 0), "sum of the sizes", 2);
  s.run();
}

TEST_CASE("Expand, Tile") {
  Suite expand("Expand");
  for (DType d : kTypes) expand.add(dtype_name(d), {random(d, {3, 1}), int64s({2, 1, 5})});
  expand.add("scalar", {random(DType::kF32, {}), int64s({7})});
  expand.add("same", {random(DType::kF32, {3, 5}), int64s({3, 5})});
  expand.add("to none", {random(DType::kF32, {1, 5}), int64s({0, 5})});
  expand.fails("clash", {random(DType::kF32, {3}), int64s({4})}, nullptr, "shape, got [4]");
  expand.run();
  Suite tile("Tile");
  for (DType d : kTypes) tile.add(dtype_name(d), {random(d, {3, 5}), int64s({2, 3})});
  tile.add("none", {random(DType::kF32, {3, 5}), int64s({0, 1})});
  tile.fails("count", {random(DType::kF32, {3, 5}), int64s({2})}, nullptr, "number of repeats");
  tile.run();
}

TEST_CASE("DepthToSpace, SpaceToDepth") {
  const auto depth = [](std::int64_t side, const char* mode = "DCR") {
    return attrs_of("DepthToSpace", {{"blocksize", side}, {"mode", mode}});
  };
  Suite to_space("DepthToSpace");
  for (DType d : kTypes) to_space.add(dtype_name(d), {random(d, {2, 12, 3, 5})}, depth(2));
  to_space.add("CRD", {random(DType::kF32, {2, 12, 3, 5})}, depth(2, "CRD"));
  to_space.add("3", {random(DType::kF32, {1, 18, 4, 2})}, depth(3));
  to_space.add("1", {random(DType::kF32, {2, 3, 4, 5})}, depth(1));
  to_space.add("one channel", {random(DType::kF32, {2, 4, 17, 33})}, depth(2, "CRD"));
  to_space.add("empty", {random(DType::kF32, {1, 0, 3, 5})}, depth(2));
  to_space.fails("channels", {random(DType::kF32, {1, 6, 3, 5})}, depth(2), "channels, got 6");
  to_space.fails("side", {random(DType::kF32, {1, 4, 3, 5})}, depth(0), "blocksize, got 0");
  to_space.fails("area", {random(DType::kF32, {1, 0, 3, 5})}, depth(1LL << 32), "blocksize, got");
  to_space.fails("mode", {random(DType::kF32, {1, 4, 3, 5})}, depth(2, "RCD"), "mode, got 'RCD'");
  to_space.run();
  const auto space = [](std::int64_t side) {
    return attrs_of("SpaceToDepth", {{"blocksize", side}});
  };
  Suite to_depth("SpaceToDepth");
  for (DType d : kTypes) to_depth.add(dtype_name(d), {random(d, {2, 3, 4, 6})}, space(2));
  to_depth.add("3", {random(DType::kF32, {1, 2, 6, 33})}, space(3));
  to_depth.add("whole", {random(DType::kF32, {2, 3, 4, 4})}, space(4));
  to_depth.add("empty", {random(DType::kF32, {2, 3, 0, 4})}, space(4));
  to_depth.fails("height", {random(DType::kF32, {1, 1, 3, 4})}, space(2), "height, got 3");
  to_depth.fails("width", {random(DType::kF32, {1, 1, 4, 3})}, space(2), "width, got 3");
  to_depth.fails("rank", {random(DType::kF32, {4, 4})}, space(2), "rank");
  to_depth.run();
}

TEST_CASE("Pad") {
  Suite s("Pad");
  const auto mode = [](const char* m) { return attrs<PadAttrs>([=](auto& a) { a.mode = m; }); };
  for (DType d : kTypes) s.add(dtype_name(d), {random(d, {3, 5}), int64s({1, 0, 2, 3})});
  s.add("value", {random(DType::kF32, {3, 5}), int64s({1, 2, 0, 3}), scalar(DType::kF32, 1.5)});
  s.add("axes", {random(DType::kF32, {3, 5, 2}), int64s({1, 2}), absent(), int64s({-2})});
  s.add("beyond", {random(DType::kF32, {3, 4}), int64s({0, -4, 0, 3})}, mode("edge"));
  s.add("cut", {random(DType::kF32, {5, 7}), int64s({-1, 2, 0, -3})});
  for (const char* m : {"reflect", "edge", "wrap"}) {
    s.add(m, {random(DType::kF32, {5, 7}), int64s({2, 3, 4, 1})}, mode(m));
  }
  s.add("scalar", {random(DType::kF32, {}), int64s({})});
  s.add("empty", {random(DType::kF32, {0, 2}), int64s({1, 0, 1, 0})});
  s.fails("mode", {random(DType::kF32, {3}), int64s({1, 1})}, mode("mirror"), "mode, got 'mirror'");
  s.fails("pads", {random(DType::kF32, {3}), int64s({1})}, nullptr, "pads, got 1");
  s.run();
}

TEST_CASE("Shape, Size, Range, ConstantOfShape") {
  Suite shape("Shape");
  shape.add("all", {random(DType::kF32, {3, 0, 5})});
  shape.add("part", {random(DType::kF32, {3, 4, 5})},
            attrs<ShapeAttrs>([](auto& a) { a.start = -2, a.end = -1; }));
  shape.add("scalar", {random(DType::kF32, {})});
  shape.run();
  Suite size("Size");
  size.add("3 x 4", {random(DType::kF32, {3, 4})});
  size.run();
  Suite range("Range");
  range.add("f32", {scalar(DType::kF32, 1), scalar(DType::kF32, 4.2), scalar(DType::kF32, 0.5)});
  range.add("i64", {scalar(DType::kI64, 10), scalar(DType::kI64, -7), scalar(DType::kI64, -3)});
  range.add("i32 none", {scalar(DType::kI32, 3), scalar(DType::kI32, 3), scalar(DType::kI32, 1)});
  range.fails("delta", {scalar(DType::kI32, 1), scalar(DType::kI32, 3), scalar(DType::kI32, 0)},
              nullptr, "delta, got 0");
  range.run();
  Suite fill("ConstantOfShape");
  fill.add("zeros", {int64s({3, 5})});
  fill.add("ones", {int64s({7})},
           attrs<ConstantOfShapeAttrs>([](auto& a) { a.value = values(DType::kI64, {1}, {1}); }));
  fill.add("scalar", {int64s({})});
  fill.add("empty", {int64s({0, 3})});
  fill.fails("negative", {int64s({-1})}, nullptr, "dim, got -1");
  fill.run();
}

}  // namespace polaris::test
