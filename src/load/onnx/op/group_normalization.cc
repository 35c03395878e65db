// Before op-set 21 GroupNormalization had a scale and a bias per group; now they are per channel.
#include "ir/op_attrs/shape.h"
#include "load/onnx/importer.h"

namespace polaris::onnx {
namespace {

// [groups] -> [channels]: each number once for every channel of its group.
Result<ValueId> per_channel(NodeImport& node, ValueId per_group, ValueId spread, ValueId channels) {
  const std::int64_t last = 1;
  const auto axis = node.constant_ints(std::span(&last, 1));
  if (!axis) return axis.error();
  const auto column = node.add("Unsqueeze", {per_group, *axis});
  if (!column) return column.error();
  const auto rows = node.add("Expand", {*column, spread});
  if (!rows) return rows.error();
  return node.add("Reshape", {*rows, channels});
}

}  // namespace

Status per_group_normalization(NodeImport& node) {
  if (Status s = node.require("num_groups"); !s) return s;
  const auto groups = node.attrs.get_int("num_groups");
  if (!groups || *groups < 1) return node.fail("attribute 'num_groups', wanted INT of 1 or more");
  if (!node.has_input(0) || !node.has_input(1) || !node.has_input(2)) {
    return node.fail("wanted inputs X, scale and bias");
  }
  auto dim = std::make_unique<ShapeAttrs>();
  dim->start = 1;
  dim->end = 2;
  const auto channels = node.add("Shape", {node.inputs[0]}, std::move(dim));
  if (!channels) return channels.error();
  const auto count = node.constant_ints(std::span(&*groups, 1));
  if (!count) return count.error();
  const auto each = node.add("Div", {*channels, *count});
  if (!each) return each.error();
  const auto spread = node.add("Concat", {*count, *each});
  if (!spread) return spread.error();
  for (std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    const auto wide = per_channel(node, node.inputs[i], *spread, *channels);
    if (!wide) return wide.error();
    node.inputs[i] = *wide;
  }
  return Status::success();
}

}  // namespace polaris::onnx
