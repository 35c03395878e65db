// Ops of older op-sets whose newest form stands in src/load/onnx/op.
#include <doctest/doctest.h>

#include <utility>
#include "ir/op_attrs/conv.h"
#include "ir/op_attrs/resize.h"
#include "load/load.h"
#include "support/onnx_builder.h"

namespace polaris {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): builders of a test

/// x[1, 1, 2, 2] -> z by one node of that op-set.
Result<Model> load_node(std::string_view op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& attributes, int opset) {
  OnnxGraph graph;
  graph.inputs = {onnx_value("x", 1, {"1", "1", "2", "2"})};
  graph.initializers = {onnx_tensor_of<float>("scales", 1, {4}, {1, 1, 2, 3}),
                        onnx_tensor_of<float>("w", 1, {1, 1, 2}, {1, 1}),
                        onnx_tensor_of<float>("r", 1, {1, 1, 1}, {1}),
                        onnx_tensor_of<float>("steps", 1, {2, 1, 2}, {1, 2, 3, 4}),
                        onnx_tensor_of<float>("rois", 1, {1, 4}, {0, 0, 1, 1}),
                        onnx_tensor_of<std::int64_t>("batch", 7, {1}, {0}),
                        onnx_tensor_of<float>("grid", 1, {1, 1, 1, 2}, {0, 0})};
  graph.nodes = {onnx_node(op, inputs, {"z"}, attributes)};
  graph.outputs = {onnx_type("z", 1)};
  Source source = Source::in_memory("test.onnx", onnx_model(graph.encode(), opset));
  return load_model(source, OpSet::builtin(), {});
}

/// The one node that such a file becomes.
template <class A>
const A& attributes_of(const Result<Model>& model) {
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  const Graph& graph = *model->find("main");
  REQUIRE(graph.order().size() == 1);
  return static_cast<const A&>(*graph.node(graph.order()[0]).attrs);
}

void check_shape(const Result<Model>& model, const Shape& shape) {
  REQUIRE_MESSAGE(model.ok(), model.error().message());
  const Graph& graph = *model->find("main");
  CHECK(graph.value(graph.outputs()[0]).type.shape == shape);
}

void refused(const Result<Model>& model, std::string_view wanted) {
  const std::string message = model ? "it loads" : model.error().message();
  CHECK_MESSAGE(message.find(wanted) != std::string::npos, message, " | wanted: ", wanted);
}

}  // namespace

TEST_CASE("Upsample, and Resize of op-set 10, are Resize without a choice of coordinates") {
  const std::vector<std::string> two = {attr_float("height_scale", 2),
                                        attr_float("width_scale", 3)};
  std::vector<std::string> smooth = two;
  smooth.push_back(attr_text("mode", "bilinear"));
  const Result<Model> all[] = {
      load_node("Upsample", {"x"}, two, 1), load_node("Upsample", {"x"}, smooth, 6),
      load_node("Upsample", {"x", "scales"}, {}, 9), load_node("Resize", {"x", "scales"}, {}, 10)};
  for (const Result<Model>& model : all) {
    const auto& attrs = attributes_of<ResizeAttrs>(model);
    CHECK(attrs.mode == (&model == &all[1] ? "linear" : "nearest"));
    CHECK(attrs.coordinate_transformation_mode == "asymmetric");
    CHECK(attrs.nearest_mode == "floor");
    check_shape(model, Shape{1, 1, 4, 6});
  }
  refused(load_node("Upsample", {"x"}, {attr_float("width_scale", 2)}, 1),
          "attribute 'height_scale' is required");
  refused(load_node("Upsample", {"x"}, {attr_int("height_scale", 2)}, 1),
          "attribute 'height_scale', wanted FLOAT");
  refused(load_node("Upsample", {"x"}, {}, 7), "attribute 'scales' is required");
  refused(load_node("Upsample", {"x"}, {attr_int("scales", 1)}, 7),
          "attribute 'scales', wanted FLOATS");
  refused(load_node("Resize", {"x"}, {}, 10), "wanted inputs X and scales");
}

TEST_CASE("attributes that recurrent ops and norms had once") {
  for (int opset : {1, 6}) {
    const auto model =
        load_node("RNN", {"steps", "w", "r"}, {attr_int("output_sequence", 1)}, opset);
    check_shape(model, Shape{2, 1, 1, 1});
  }
  refused(load_node("RNN", {"steps", "w", "r"}, {attr_int("output_sequence", 1)}, 7),
          "attribute 'output_sequence' is not known");
  const auto kernel = attr_ints("kernel_shape", {2, 2});
  const auto pool = load_node("LpPool", {"x"}, {attr_float("p", 3), kernel}, 1);
  CHECK(attributes_of<LpPoolAttrs>(pool).p == 3);
  CHECK(attributes_of<LpPoolAttrs>(load_node("LpPool", {"x"}, {kernel}, 1)).p == 2);
  const auto global = load_node("GlobalLpPool", {"x"}, {attr_float("p", 1)}, 1);
  CHECK(attributes_of<GlobalLpPoolAttrs>(global).p == 1);
  refused(load_node("GlobalLpPool", {"x"}, {attr_float("p", 1.5f)}, 1), "attribute 'p', wanted a");
  refused(load_node("LpPool", {"x"}, {attr_float("p", 3), kernel}, 2), "attribute 'p'");
}

TEST_CASE("modes that GridSample and RoiAlign named otherwise, or not") {
  const std::pair<const char*, const char*> modes[] = {
      {"bilinear", "linear"}, {"bicubic", "cubic"}, {"nearest", "nearest"}};
  for (const auto& [old, now] : modes) {
    const auto model = load_node("GridSample", {"x", "grid"}, {attr_text("mode", old)}, 16);
    CHECK(attributes_of<GridSampleAttrs>(model).mode == now);
  }
  CHECK(attributes_of<GridSampleAttrs>(load_node("GridSample", {"x", "grid"}, {}, 16)).mode ==
        "linear");
  refused(load_node("GridSample", {"x", "grid"}, {attr_text("mode", "bilinear")}, 20),
          "mode, got 'bilinear'");
  const auto old_roi = load_node("RoiAlign", {"x", "rois", "batch"}, {}, 10);
  CHECK(attributes_of<RoiAlignAttrs>(old_roi).coordinate_transformation_mode ==
        "output_half_pixel");
  const auto roi = load_node("RoiAlign", {"x", "rois", "batch"}, {}, 16);
  CHECK(attributes_of<RoiAlignAttrs>(roi).coordinate_transformation_mode == "half_pixel");
}

TEST_CASE("DFT named its axis by an attribute, which was 1 where it was not said") {
  check_shape(load_node("DFT", {"steps"}, {}, 17), Shape{2, 1, 2});
  check_shape(load_node("DFT", {"steps"}, {attr_int("axis", 0)}, 17), Shape{2, 1, 2});
  refused(load_node("DFT", {"steps"}, {attr_int("axis", 2)}, 17), "axis, got the last");
  refused(load_node("DFT", {"steps"}, {attr_float("axis", 1)}, 17), "attribute 'axis', wanted INT");
  refused(load_node("DFT", {"steps"}, {attr_int("axis", 1)}, 20), "attribute 'axis' is not known");
}

}  // namespace polaris
