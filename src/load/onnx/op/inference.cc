// Ops as they are outside of training, and small changes of meaning.
#include <cmath>

#include "ir/op_attrs/shape.h"
#include "load/onnx/importer.h"
#include "load/onnx/op/training.h"
#include "tensor/element.h"

namespace polaris::onnx {

namespace {

// All ones, or all true from op-set 10 on.
Status dropout_mask(NodeImport& node) {
  const auto shape = node.add("Shape", {node.inputs[0]});
  if (!shape) return shape.error();
  auto attrs = std::make_unique<ConstantOfShapeAttrs>();
  auto one = Tensor::allocate(node.version() < 10 ? DType::kF32 : DType::kBool, Shape{1});
  if (!one) return one.error();
  store_i64(one->dtype(), one->mutable_bytes().data(), 0, 1);
  attrs->value = one.take();
  auto mask = node.add("ConstantOfShape", {*shape}, std::move(attrs));
  if (mask && node.version() < 10) mask = node.add("CastLike", {*mask, node.inputs[0]});
  if (!mask) return mask.error();
  return node.set_output(1, *mask);
}

}  // namespace

Status dropout(NodeImport& node) {
  if (!node.has_input(0)) return node.fail("input is missing");
  if (node.has_input(2)) {
    const auto& mode = node.importer().graph().value(node.inputs[2]).constant;
    const bool off = mode && mode->data.elements() == 1 && element_as_i64(mode->data, 0) == 0;
    if (!off) return training_dropout(node);
  }
  if (node.has_output(1) && node.importer().is_read(node.def().outputs[1])) {
    if (Status s = dropout_mask(node); !s) return s;
  }
  const auto out = node.add("Identity", {node.inputs[0]});
  if (!out) return out.error();
  return node.set_output(0, *out);
}

Status old_batch_normalization(NodeImport& node) {
  if (node.attrs.get_int("spatial").value_or(1) != 1) return node.unsupported("spatial, wanted 1");
  if (node.version() < 7 && node.attrs.get_int("is_test").value_or(0) == 0 &&
      node.output_count() > 1) {
    return node.unsupported("training form");
  }
  for (std::size_t i = 1; i < node.output_count(); ++i) {
    if (node.has_output(i)) return node.unsupported("outputs of the training form");
  }
  node.attrs.drop("spatial");
  node.attrs.drop("is_test");
  return Status::success();
}

Status old_selu(NodeImport& node) {
  if (node.attrs.find("alpha") == nullptr) node.attrs.set_float("alpha", 1.6732f);
  if (node.attrs.find("gamma") == nullptr) node.attrs.set_float("gamma", 1.0507f);
  return Status::success();
}

// Whether outputs are wanted was an attribute, and is now whether they are there.
Status old_recurrent(NodeImport& node) {
  node.attrs.drop("output_sequence");
  return Status::success();
}

// The modes had names of two dims.
Status grid_sample_by_two_dims(NodeImport& node) {
  const auto mode = node.attrs.get_text("mode");
  if (!mode || mode == "bilinear") node.attrs.set_text("mode", "linear");
  if (mode == "bicubic") node.attrs.set_text("mode", "cubic");
  return Status::success();
}

// Regions were not moved by half a pixel, and nobody could say so.
Status old_roi_align(NodeImport& node) {
  node.attrs.set_text("coordinate_transformation_mode", "output_half_pixel");
  return Status::success();
}

// The order of the norm was a float.
Status norm_by_float(NodeImport& node) {
  const auto p = node.attrs.get_float("p");
  if (node.attrs.find("p") == nullptr) return Status::success();
  if (!p || !(*p >= 1 && *p < 1e6f) || std::floor(*p) != *p) {
    return node.unsupported("attribute 'p', wanted a FLOAT that is a whole number from 1 on");
  }
  node.attrs.set_int("p", static_cast<std::int64_t>(*p));
  return Status::success();
}

Status scatter(NodeImport& node) {
  node.op = "ScatterElements";
  return Status::success();
}

Status same_as_ours(NodeImport& node) {
  node.op = node.def().op_type;
  return Status::success();
}

}  // namespace polaris::onnx
