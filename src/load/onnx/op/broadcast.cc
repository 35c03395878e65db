// Before op-set 7 a second operand was broadcast only on request, and along a named axis.
#include "ir/op_attrs/shape.h"
#include "load/onnx/importer.h"

namespace polaris::onnx {
namespace {

// Appends ones to the shape of input 1 until its dim 0 stands at `axis` of input 0.
Status align_at(NodeImport& node, std::int64_t axis) {
  const int a = node.rank(0);
  const int b = node.rank(1);
  if (a < 0 || b < 0) return node.unsupported("attribute 'axis' where a rank is not known");
  if (axis < 0) axis += a;
  const std::int64_t ones = a - axis - b;
  if (axis < 0 || ones < 0) return node.fail("attribute 'axis' does not fit the operands");
  if (ones == 0) return Status::success();
  std::vector<std::int64_t> axes;
  for (std::int64_t i = 0; i < ones; ++i) axes.push_back(b + i);
  const auto constant = node.constant_ints(axes);
  if (!constant) return constant.error();
  const auto wider = node.add("Unsqueeze", {node.inputs[1], *constant});
  if (!wider) return wider.error();
  node.inputs[1] = *wider;
  return Status::success();
}

}  // namespace

Status legacy_broadcast(NodeImport& node) {
  const bool broadcast = node.attrs.get_int("broadcast").value_or(0) != 0;
  const auto axis = node.attrs.get_int("axis");
  node.attrs.drop("broadcast");
  node.attrs.drop("axis");
  if (!broadcast || !axis) return Status::success();
  return align_at(node, *axis);
}

// The slope was one number or one a channel, whatever the rank.
Status legacy_prelu(NodeImport& node) {
  const int rank = node.rank(0);
  if (node.rank(1) < 0) return node.unsupported("slope of a rank that is not known");
  if (node.rank(1) != 1 || rank == 1) return Status::success();
  return align_at(node, 1);
}

Status legacy_gemm(NodeImport& node) {
  node.attrs.drop("broadcast");
  return Status::success();
}

}  // namespace polaris::onnx
