// Upsample, and Resize before op-set 11, which had no choice of coordinates.
#include <array>

#include "load/onnx/importer.h"

namespace polaris::onnx {
namespace {

Result<ValueId> constant_floats(NodeImport& node, std::span<const float> values) {
  const Shape shape{static_cast<std::int64_t>(values.size())};
  auto tensor = Tensor::from<float>(DType::kF32, shape, values);
  if (!tensor) return tensor.error();
  return node.constant(tensor.take());
}

// The form of op-set 11: scales are input 2, places are multiples of 1 / scale.
Status as_resize(NodeImport& node, ValueId scales) {
  node.op = "Resize";
  node.inputs.resize(1, kNoValue);
  node.set_input(2, scales);
  if (node.attrs.get_text("mode") == "bilinear") node.attrs.set_text("mode", "linear");
  node.attrs.set_text("coordinate_transformation_mode", "asymmetric");
  node.attrs.set_text("nearest_mode", "floor");
  return Status::success();
}

Result<float> required_float(NodeImport& node, std::string_view name) {
  if (Status s = node.require(name); !s) return s.error();
  const auto value = node.attrs.get_float(name);
  if (!value) return node.fail("attribute '" + std::string(name) + "', wanted FLOAT");
  node.attrs.drop(name);
  return *value;
}

}  // namespace

Status upsample_by_two(NodeImport& node) {
  const auto height = required_float(node, "height_scale");
  if (!height) return height.error();
  const auto width = required_float(node, "width_scale");
  if (!width) return width.error();
  const auto scales = constant_floats(node, std::array{1.0f, 1.0f, *height, *width});
  if (!scales) return scales.error();
  return as_resize(node, *scales);
}

Status upsample_by_attribute(NodeImport& node) {
  if (Status s = node.require("scales"); !s) return s;
  const auto values = node.attrs.get_floats("scales");
  if (!values) return node.fail("attribute 'scales', wanted FLOATS");
  node.attrs.drop("scales");
  const auto scales = constant_floats(node, *values);
  if (!scales) return scales.error();
  return as_resize(node, *scales);
}

Status resize_by_scales(NodeImport& node) {
  if (!node.has_input(0) || !node.has_input(1)) return node.fail("wanted inputs X and scales");
  return as_resize(node, node.inputs[1]);
}

}  // namespace polaris::onnx
