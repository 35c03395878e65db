// Attributes that later op-sets turned into inputs.
#include <limits>

#include "ir/op_attrs/elementwise.h"
#include "load/onnx/importer.h"
#include "tensor/element.h"

namespace polaris::onnx {
namespace {

// A scalar of the type of input 0, or float32 where that is not known here.
Result<ValueId> scalar_like_input(NodeImport& node, float value) {
  const GraphImporter& in = node.importer();
  const bool known = node.has_input(0) && in.has_type(node.inputs[0]);
  const DType dtype =
      known ? node.importer().graph().value(node.inputs[0]).type.dtype : DType::kF32;
  auto tensor = Tensor::allocate(dtype, Shape{});
  if (!tensor) return tensor.error();
  store_f64(dtype, tensor->mutable_bytes().data(), 0, static_cast<double>(value));
  const ValueId scalar = node.constant(tensor.take());
  if (known) return scalar;
  return node.add("CastLike", {scalar, node.inputs[0]});
}

Status float_to_input(NodeImport& node, std::string_view name, std::size_t i) {
  if (node.attrs.find(name) == nullptr) return Status::success();
  const auto value = node.attrs.get_float(name);
  if (!value || !node.has_input(0)) {
    return node.fail("attribute '" + std::string(name) + "', wanted FLOAT");
  }
  node.attrs.drop(name);
  const auto scalar = scalar_like_input(node, *value);
  if (!scalar) return scalar.error();
  node.set_input(i, *scalar);
  return Status::success();
}

}  // namespace

Status axes_to_input(NodeImport& node) { return node.ints_to_input("axes", 1); }

Status unsqueeze_by_attribute(NodeImport& node) {
  if (Status s = node.require("axes"); !s) return s;
  return axes_to_input(node);
}

Status slice_by_attributes(NodeImport& node) {
  if (Status s = node.require("starts"); !s) return s;
  if (Status s = node.require("ends"); !s) return s;
  if (Status s = node.ints_to_input("starts", 1); !s) return s;
  if (Status s = node.ints_to_input("ends", 2); !s) return s;
  return node.ints_to_input("axes", 3);
}

Status clip_by_attributes(NodeImport& node) {
  if (Status s = float_to_input(node, "min", 1); !s) return s;
  return float_to_input(node, "max", 2);
}

Status pad_by_attributes(NodeImport& node) {
  const std::string_view pads = node.version() < 2 ? "paddings" : "pads";
  if (Status s = node.require(pads); !s) return s;
  if (Status s = node.ints_to_input(pads, 1); !s) return s;
  return float_to_input(node, "value", 2);
}

Status reshape_by_attribute(NodeImport& node) {
  if (Status s = node.require("shape"); !s) return s;
  return node.ints_to_input("shape", 1);
}

Status split_without_count(NodeImport& node) {
  if (!node.has_input(1)) {
    node.attrs.set_int("num_outputs", static_cast<std::int64_t>(node.output_count()));
  }
  return Status::success();
}

Status split_by_attribute(NodeImport& node) {
  if (node.version() < 2 && node.has_input(1)) return node.unsupported("input 'split'");
  if (Status s = node.ints_to_input("split", 1); !s) return s;
  return split_without_count(node);
}

Status top_k_by_attribute(NodeImport& node) {
  if (Status s = node.require("k"); !s) return s;
  const auto k = node.attrs.get_int("k");
  if (!k) return node.fail("attribute 'k', wanted INT");
  node.attrs.drop("k");
  const auto value = node.constant_ints(std::span(&*k, 1));
  if (!value) return value.error();
  node.set_input(1, *value);
  return Status::success();
}

// The axis was 1 where it was not said.
Status dft_by_axis(NodeImport& node) {
  const auto axis = node.attrs.get_int("axis");
  if (!axis && node.attrs.find("axis") != nullptr) return node.fail("attribute 'axis', wanted INT");
  node.attrs.drop("axis");
  const std::int64_t value = axis.value_or(1);
  auto scalar = Tensor::from<std::int64_t>(DType::kI64, {}, std::span(&value, 1));
  if (!scalar) return scalar.error();
  node.set_input(2, node.constant(scalar.take()));
  return Status::success();
}

// The axis had a default once.
Status old_concat(NodeImport& node) {
  if (node.attrs.find("axis") == nullptr) node.attrs.set_int("axis", 1);
  return Status::success();
}

Status cast_by_name(NodeImport& node) {
  constexpr std::string_view kNames[] = {"FLOAT",  "UINT8",  "INT8",   "UINT16", "INT16",
                                         "INT32",  "INT64",  "STRING", "BOOL",   "FLOAT16",
                                         "DOUBLE", "UINT32", "UINT64"};
  if (Status s = node.require("to"); !s) return s;
  const auto name = node.attrs.get_text("to");
  for (std::size_t i = 0; name && i < std::size(kNames); ++i) {
    if (kNames[i] != *name) continue;
    node.attrs.set_int("to", static_cast<std::int64_t>(i) + 1);
    return Status::success();
  }
  return node.fail("attribute 'to', wanted the name of a type");
}

}  // namespace polaris::onnx
