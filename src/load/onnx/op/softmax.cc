// Before op-set 13 softmax worked on the input flattened to two dims at `axis`.
#include "ir/op_attrs/normalization.h"
#include "ir/op_attrs/shape.h"
#include "load/onnx/importer.h"

namespace polaris::onnx {

Status flattened_softmax(NodeImport& node) {
  const std::int64_t axis = node.attrs.get_int("axis").value_or(1);
  const int rank = node.rank(0);
  if (!node.has_input(0)) return node.fail("input is missing");
  if (rank >= 0 && (axis == rank - 1 || axis == -1)) {
    node.attrs.set_int("axis", -1);
    return Status::success();
  }
  const ValueId x = node.inputs[0];
  const auto shape = node.add("Shape", {x});
  if (!shape) return shape.error();
  auto flatten = std::make_unique<FlattenAttrs>();
  flatten->axis = axis;
  const auto flat = node.add("Flatten", {x}, std::move(flatten));
  if (!flat) return flat.error();
  auto last = std::make_unique<SoftmaxAttrs>();
  last->axis = -1;
  const auto soft = node.add(node.op, {*flat}, std::move(last));
  if (!soft) return soft.error();
  // A dim of 0 is one: it does not stand for "as before", which here is the flattened shape.
  auto as_it_was = std::make_unique<ReshapeAttrs>();
  as_it_was->allowzero = true;
  const auto out = node.add("Reshape", {*soft, *shape}, std::move(as_it_was));
  if (!out) return out.error();
  return node.set_output(0, *out);
}

}  // namespace polaris::onnx
