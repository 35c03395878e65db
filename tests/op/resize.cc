#include "ir/op_attrs/resize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "conformance/suite.h"
#include "ir/evaluate.h"
#include "ir/op_set.h"

namespace polaris::test {
namespace {

constexpr DType kF = DType::kF32;

Tensor floats(std::initializer_list<double> elements) {
  return values(kF, {static_cast<std::int64_t>(elements.size())}, elements);
}

}  // namespace

TEST_CASE("Resize") {
  Suite s("Resize");
  const auto of = [](const char* mode, auto set) {
    return attrs<ResizeAttrs>([&](auto& a) {
      a.mode = mode;
      set(a);
    });
  };
  const auto plain = [](auto&) {};
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    s.add(mode, {random(kF, {2, 3, 5}), absent(), floats({1, 1.5, 0.7})}, of(mode, plain));
    for (const char* transform : {"half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                                  "asymmetric", "tf_half_pixel_for_nn"}) {
      s.add(std::string(mode) + " " + transform,
            {random(kF, {1, 4, 5}), absent(), absent(), int64s({1, 7, 3})},
            of(mode, [&](auto& a) { a.coordinate_transformation_mode = transform; }));
    }
    s.add(std::string(mode) + " cropped",
          {random(kF, {4, 5}), floats({0.2, -0.1, 0.7, 1.3}), absent(), int64s({3, 6})},
          of(mode, [](auto& a) {
            a.coordinate_transformation_mode = "tf_crop_and_resize";
            a.extrapolation_value = 7;
          }));
    s.add(std::string(mode) + " kept ratio",
          {random(kF, {4, 5, 2}), absent(), absent(), int64s({9, 7})}, of(mode, [](auto& a) {
            a.axes = {-2, 0};
            a.keep_aspect_ratio_policy = "not_larger";
          }));
    s.add(std::string(mode) + " u8", {random(DType::kU8, {4, 5}, 0, 255), absent(), floats({2, 1})},
          of(mode, plain));
  }
  for (const char* mode : {"linear", "cubic"}) {
    s.add(std::string(mode) + " smoothed", {random(kF, {7, 9}), absent(), absent(), int64s({3, 4})},
          of(mode, [](auto& a) {
            a.antialias = true;
            a.exclude_outside = true;
          }));
  }
  for (const char* nearest : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
    s.add(nearest, {random(DType::kI64, {6}), absent(), floats({1.5})},
          attrs<ResizeAttrs>([&](auto& a) { a.nearest_mode = nearest; }));
  }
  for (const DType dtype : {DType::kU8, DType::kBool, DType::kI16, DType::kF16, DType::kBF16,
                            DType::kI32, DType::kF64, DType::kI64}) {
    s.add("nearest planes " + std::string(dtype_name(dtype)),
          {random(dtype, {2, 3, 4, 5}), absent(), floats({1, 1, 2, 1.7})}, of("nearest", plain));
    s.add("nearest channels last " + std::string(dtype_name(dtype)),
          {random(dtype, {2, 4, 5, 3}), absent(), absent(), int64s({7, 3})},
          of("nearest", [](auto& a) {
            a.axes = {1, 2};
          }));
    s.add("nearest cropped " + std::string(dtype_name(dtype)),
          {random(dtype, {3, 4, 2}), floats({0.2, -0.1, 1, 1.3}), absent(), int64s({6, 5})},
          of("nearest", [](auto& a) {
            a.axes = {0, 1};
            a.coordinate_transformation_mode = "tf_crop_and_resize";
            a.extrapolation_value = 2.5f;
          }));
  }
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const char* mode : {"linear", "cubic"}) {
      const std::string name = std::string(mode) + " " + std::string(dtype_name(dtype));
      s.add(name + " planes", {random(dtype, {2, 3, 6, 7}), absent(), floats({1, 1, 2, 1.7})},
            of(mode, plain));
      s.add(name + " channels last",
            {random(dtype, {2, 6, 7, 5}), absent(), absent(), int64s({9, 4})},
            of(mode, [](auto& a) {
              a.axes = {1, 2};
            }));
      s.add(name + " volume", {random(dtype, {2, 3, 4, 5}), absent(), floats({1, 1.5, 2, 0.7})},
            of(mode, plain));
      s.add(name + " apart", {random(dtype, {3, 4, 5}), absent(), floats({2, 1, 1.6})},
            of(mode, plain));
      s.add(name + " smoothed", {random(dtype, {1, 2, 9, 11}), absent(), floats({1, 1, 0.3, 0.4})},
            of(mode, [](auto& a) { a.antialias = true; }));
      s.add(name + " four axes", {random(dtype, {2, 3, 2, 3}), absent(), floats({2, 2, 2, 2})},
            of(mode, plain));
    }
  }
  s.add("empty", {random(kF, {0, 3}), absent(), floats({2, 2})});
  s.add("to none", {random(kF, {2, 3}), absent(), absent(), int64s({0, 3})});
  s.run();
}

TEST_CASE("Resize says what does not fit") {
  Suite s("Resize");
  const auto fails = [&](const char* name, auto set, const char* text) {
    s.fails(name, {random(kF, {2, 3}), absent(), floats({2, 2})}, attrs<ResizeAttrs>(set), text);
  };
  fails(
      "mode", [](auto& a) { a.mode = "area"; }, "mode, got 'area'");
  fails(
      "nearest", [](auto& a) { a.nearest_mode = "up"; }, "nearest_mode, got 'up'");
  fails(
      "transform", [](auto& a) { a.coordinate_transformation_mode = "x"; }, "got 'x'");
  fails(
      "policy", [](auto& a) { a.keep_aspect_ratio_policy = "x"; }, "got 'x'");
  fails(
      "smooth", [](auto& a) { a.antialias = true; }, "antialias, got 1 in mode nearest");
  fails(
      "axes",
      [](auto& a) {
        a.axes = {1, -1};
      },
      "axes, got -1");
  fails(
      "axis",
      [](auto& a) {
        a.axes = {2, 0};
      },
      "axes, got 2");
  fails(
      "roi", [](auto& a) { a.coordinate_transformation_mode = "tf_crop_and_resize"; },
      "roi is missing");
  s.fails("neither", {random(kF, {2, 3})}, nullptr, "scales and sizes, got both or neither");
  s.fails("both", {random(kF, {2}), absent(), floats({1}), int64s({2})}, nullptr, "got both");
  s.fails("count", {random(kF, {2, 3}), absent(), floats({1})}, nullptr, "number of scales, got 1");
  s.fails("scale", {random(kF, {2}), absent(), floats({0})}, nullptr, "scale, got 0");
  s.fails("size", {random(kF, {2}), absent(), absent(), int64s({-1})}, nullptr, "size, got -1");
  s.fails("too large", {random(kF, {2}), absent(), floats({1e30})}, nullptr, "size, got more");
  s.fails("from none", {random(kF, {0}), absent(), absent(), int64s({3})}, nullptr, "dim of 0");
  s.run();
}

TEST_CASE("GridSample") {
  Suite s("GridSample");
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    for (const char* padding : {"zeros", "border", "reflection"}) {
      for (const bool align : {false, true}) {
        s.add(std::string(mode) + " " + padding + (align ? " aligned" : ""),
              {random(kF, {2, 3, 4, 5}), random(kF, {2, 3, 2, 2})},
              attrs<GridSampleAttrs>([&](auto& a) {
                a.mode = mode;
                a.padding_mode = padding;
                a.align_corners = align;
              }));
      }
    }
  }
  s.add("volume", {random(kF, {1, 2, 3, 4, 5}), random(kF, {1, 2, 3, 2, 3})});
  s.add("one element", {random(kF, {1, 1, 1, 1}), random(kF, {1, 2, 2, 2})},
        attrs<GridSampleAttrs>([](auto& a) {
          a.padding_mode = "reflection";
          a.align_corners = true;
        }));
  s.add("far", {random(kF, {1, 1, 3}), values(kF, {1, 3, 1}, {1e30, -1e30, 1e18})},
        attrs<GridSampleAttrs>([](auto& a) { a.padding_mode = "reflection"; }));
  s.fails("mode", {random(kF, {1, 1, 3}), random(kF, {1, 3, 1})},
          attrs<GridSampleAttrs>([](auto& a) { a.mode = "bilinear"; }), "mode, got 'bilinear'");
  s.fails("padding", {random(kF, {1, 1, 3}), random(kF, {1, 3, 1})},
          attrs<GridSampleAttrs>([](auto& a) { a.padding_mode = "wrap"; }), "padding_mode");
  s.fails("dims", {random(kF, {1, 1, 3}), random(kF, {1, 3, 2})}, nullptr, "last dim of grid");
  s.fails("none", {random(kF, {1, 1, 0}), random(kF, {1, 3, 1})}, nullptr,
          "nothing can be sampled");
  s.run();
  Suite grid("AffineGrid");
  for (const bool align : {false, true}) {
    const auto a = attrs<AffineGridAttrs>([&](auto& x) { x.align_corners = align; });
    grid.add("image", {random(kF, {2, 2, 3}), int64s({2, 3, 4, 5})}, a);
    grid.add("volume", {random(kF, {1, 3, 4}), int64s({1, 2, 3, 1, 2})}, a);
  }
  grid.fails("theta", {random(kF, {2, 3, 3}), int64s({2, 3, 4, 5})}, nullptr, "theta");
  grid.fails("size", {random(kF, {2, 2, 3}), int64s({2, 3, -4, 5})}, nullptr, "size, got -4");
  grid.run();
}

TEST_CASE("RoiAlign, NonMaxSuppression") {
  Suite align("RoiAlign");
  const Tensor rois = values(kF, {3, 4}, {0, 0, 4, 3, 1, 1, 2.5, 2.5, 3, 2, 1, 1});
  for (const char* mode : {"avg", "max"}) {
    for (const char* transform : {"half_pixel", "output_half_pixel"}) {
      for (std::int64_t ratio : {0, 3}) {
        align.add(std::string(mode) + " " + transform + " " + std::to_string(ratio),
                  {random(kF, {2, 3, 5, 6}), rois, int64s({0, 1, 1})},
                  attrs<RoiAlignAttrs>([&](auto& a) {
                    a.mode = mode;
                    a.coordinate_transformation_mode = transform;
                    a.sampling_ratio = ratio;
                    a.output_height = 2;
                    a.output_width = 3;
                    a.spatial_scale = 0.9f;
                  }));
      }
    }
  }
  align.add("far", {random(kF, {1, 1, 3, 3}),
                    values(kF, {2, 4}, {-1e30, 0, 1e30, 2, 1e20, 0, 0, 3e38}), int64s({0, 0})});
  const auto fails = [&](const char* name, auto set, const char* text) {
    align.fails(name, {random(kF, {2, 3, 5, 6}), rois, int64s({0, 1, 1})},
                attrs<RoiAlignAttrs>(set), text);
  };
  fails(
      "mode", [](auto& a) { a.mode = "min"; }, "mode, got 'min'");
  fails(
      "samples", [](auto& a) { a.sampling_ratio = 1 << 20; }, "sampling_ratio");
  fails(
      "height", [](auto& a) { a.output_height = 0; }, "output size, got 0");
  align.fails("batch", {random(kF, {2, 3, 5, 6}), rois, int64s({0, 2, 1})}, nullptr,
              "batch_indices, got 2, wanted 0 to 1");
  align.run();
  Suite most("NonMaxSuppression");
  for (const bool center : {false, true}) {
    most.add(center ? "centers" : "corners",
             {random(kF, {2, 9, 4}, 0, 1), random(kF, {2, 3, 9}, 0, 1), int64s({4}), floats({0.3}),
              floats({0.2})},
             attrs<NonMaxSuppressionAttrs>([&](auto& a) { a.center_point_box = center; }));
  }
  most.add("no number", {random(kF, {1, 9, 4}), random(kF, {1, 2, 9})});
  most.fails("boxes", {random(kF, {1, 9, 4}), random(kF, {1, 2, 8})}, nullptr, "boxes of scores");
  most.fails("corners", {random(kF, {1, 9, 5}), random(kF, {1, 2, 9})}, nullptr,
             "last dim of boxes");
  most.run();
}

TEST_CASE("MaxRoiPool") {
  Suite s("MaxRoiPool");
  const auto pool = [](std::vector<std::int64_t> shape) {
    return attrs<MaxRoiPoolAttrs>([&](auto& a) { a.pooled_shape = shape; });
  };
  const Tensor roi = values(kF, {1, 5}, {0, 0, 0, 2, 1});
  s.fails("shape", {random(kF, {1, 1, 2, 3}), roi}, pool({1}), "pooled_shape, got 1 values");
  s.fails("size", {random(kF, {1, 1, 2, 3}), roi}, pool({1, 0}), "pooled_shape, got 0");
  s.fails("batch", {random(kF, {1, 1, 2, 3}), values(kF, {1, 5}, {1, 0, 0, 2, 1})}, pool({1, 1}),
          "batch index of roi 0");
  s.run();
  // What stands in a region counts, and bins that lie beside the map are zeros.
  const Tensor x = values(kF, {1, 1, 2, 3}, {1, 2, 3, 4, 5, -6});
  const Tensor rois = values(kF, {2, 5}, {0, 1, 0, 2, 1, 0, 5, 0, 6, 1});
  const Tensor* inputs[] = {&x, &rois};
  const OpDef& op = *OpSet::builtin().find("MaxRoiPool");
  const auto got = evaluate_node(op, *pool({2, 1}), "n", std::span(inputs), 1);
  REQUIRE_MESSAGE(got.ok(), got.error().message());
  const float wanted[] = {3, 5, 0, 0};
  REQUIRE((*got)[0].shape() == Shape{2, 1, 2, 1});
  CHECK(std::equal(std::begin(wanted), std::end(wanted), (*got)[0].data<float>()));
}

}  // namespace polaris::test
