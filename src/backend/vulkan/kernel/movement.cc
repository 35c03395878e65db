#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backend/vulkan/parts/copy_plan.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "base/checked.h"
#include "ir/op_attrs/shape.h"

/// Ops that only move elements: each is one copy or a few between strided index spaces.
namespace polaris::vulkan {
namespace {

/// Reads of the input in loops over the output's dims.
Copy whole_copy(const NodeDesc& node) {
  Copy copy;
  copy.from = Operand::input(0);
  copy.to = Operand::output(0);
  copy.from_bytes = operand_bytes(node.inputs[0]);
  copy.to_bytes = operand_bytes(node.outputs[0]);
  copy.width = width_of(node.inputs[0].type.dtype);
  return copy;
}

/// Loops over a row-major shape: operand `side` walks it, the other stands still.
Space loops_over(const Shape& shape, std::size_t side) {
  const Shape strides = row_major_strides(shape);
  Space space(static_cast<std::size_t>(shape.rank()));
  for (int d = 0; d < shape.rank(); ++d) {
    space[static_cast<std::size_t>(d)].size = shape[d];
    space[static_cast<std::size_t>(d)].strides[side] = strides[d];
  }
  return space;
}

Status add_reshape(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node) {
  Copy copy = whole_copy(node);
  SpaceDim all;
  all.size = operand_elements(node.outputs[0]);
  all.strides[0] = all.strides[1] = 1;
  copy.space = {all};
  return add_copy(kernel, target, node, std::move(copy), false);
}

Status add_transpose(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node) {
  const Shape& in = node.inputs[0].type.shape;
  std::vector<std::int64_t> perm = node.attributes<TransposeAttrs>().perm;
  if (perm.empty()) {
    for (int d = in.rank(); d-- > 0;) perm.push_back(d);
  }
  const Shape strides = row_major_strides(in);
  Copy copy = whole_copy(node);
  copy.space = loops_over(node.outputs[0].type.shape, 1);
  for (std::size_t d = 0; d < copy.space.size(); ++d) {
    const auto axis = normalize_axis(perm[d], in.rank());
    if (!axis) return refuse(node, "perm names no axis");
    copy.space[d].strides[0] = strides[*axis];
  }
  return add_copy(kernel, target, node, std::move(copy), false);
}

Status add_slice(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node) {
  const Shape& in = node.inputs[0].type.shape;
  const auto starts = known_ints(node, 1);
  if (!starts) return refuse(node, "starts are not known");
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < starts->size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  std::vector<std::int64_t> steps(starts->size(), 1);
  if (has_input(node, 3)) {
    const auto known = known_ints(node, 3);
    if (!known) return refuse(node, "axes are not known");
    axes = *known;
  }
  if (has_input(node, 4)) {
    const auto known = known_ints(node, 4);
    if (!known) return refuse(node, "steps are not known");
    steps = *known;
  }
  if (axes.size() != starts->size() || steps.size() != starts->size()) {
    return refuse(node, "starts, axes and steps of different lengths");
  }
  const Shape strides = row_major_strides(in);
  Copy copy = whole_copy(node);
  copy.space = loops_over(node.outputs[0].type.shape, 1);
  for (std::size_t d = 0; d < copy.space.size(); ++d) {
    copy.space[d].strides[0] = strides[static_cast<int>(d)];
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = normalize_axis(axes[i], in.rank());
    if (!axis) return refuse(node, "axes name no axis");
    const std::int64_t size = in[*axis];
    std::int64_t start = (*starts)[i];
    if (start < 0) start = start < -size ? 0 : start + size;
    start = std::clamp<std::int64_t>(start, 0,
                                     steps[i] < 0 ? std::max<std::int64_t>(size - 1, 0) : size);
    copy.from_base += start * strides[*axis];
    copy.space[static_cast<std::size_t>(*axis)].strides[0] = strides[*axis] * steps[i];
  }
  return add_copy(kernel, target, node, std::move(copy), false);
}

Status add_concat(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node) {
  const Shape& out = node.outputs[0].type.shape;
  const auto axis = normalize_axis(node.attributes<ConcatAttrs>().axis, out.rank());
  if (!axis) return refuse(node, "axis names no axis");
  const Shape strides = row_major_strides(out);
  std::int64_t at = 0;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Shape& in = node.inputs[i].type.shape;
    Copy copy = whole_copy(node);
    copy.from = Operand::input(static_cast<int>(i));
    copy.from_bytes = operand_bytes(node.inputs[i]);
    copy.space = loops_over(in, 0);
    for (std::size_t d = 0; d < copy.space.size(); ++d) {
      copy.space[d].strides[1] = strides[static_cast<int>(d)];
    }
    copy.to_base = at * strides[*axis];
    at += in[*axis];
    const Status added = add_copy(kernel, target, node, std::move(copy), false);
    if (!added) return added;
  }
  return Status::success();
}

Status add_split(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node) {
  const Shape& in = node.inputs[0].type.shape;
  const auto axis = normalize_axis(node.attributes<SplitAttrs>().axis, in.rank());
  if (!axis) return refuse(node, "axis names no axis");
  const Shape strides = row_major_strides(in);
  std::int64_t at = 0;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    Copy copy = whole_copy(node);
    copy.to = Operand::output(static_cast<int>(i));
    copy.to_bytes = operand_bytes(node.outputs[i]);
    copy.space = loops_over(node.outputs[i].type.shape, 1);
    for (std::size_t d = 0; d < copy.space.size(); ++d) {
      copy.space[d].strides[0] = strides[static_cast<int>(d)];
    }
    copy.from_base = at * strides[*axis];
    at += node.outputs[i].type.shape[*axis];
    if (!node.outputs[i].present) continue;
    const Status added = add_copy(kernel, target, node, std::move(copy), false);
    if (!added) return added;
  }
  return Status::success();
}

/// Each dim becomes two loops: the repeats, in which the input stands still, and the dim itself.
Status add_tile(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node) {
  const Shape& in = node.inputs[0].type.shape;
  const Shape& out = node.outputs[0].type.shape;
  const Shape in_strides = row_major_strides(in);
  const Shape out_strides = row_major_strides(out);
  Copy copy = whole_copy(node);
  for (int d = 0; d < in.rank(); ++d) {
    SpaceDim repeat;
    repeat.size = in[d] == 0 ? 0 : out[d] / in[d];
    repeat.strides[1] = out_strides[d] * in[d];
    SpaceDim own;
    own.size = in[d];
    own.strides[0] = in_strides[d];
    own.strides[1] = out_strides[d];
    copy.space.push_back(repeat);
    copy.space.push_back(own);
  }
  return add_copy(kernel, target, node, std::move(copy), false);
}

struct Row {
  std::string_view op;
  Status (*add)(VulkanKernel&, const VulkanTarget&, const NodeDesc&);
  bool all_inputs;  // else only the first is data
};
constexpr Row kRows[] = {
    {"Reshape", add_reshape, false},     {"Flatten", add_reshape, false},
    {"Squeeze", add_reshape, false},     {"Unsqueeze", add_reshape, false},
    {"Transpose", add_transpose, false}, {"Slice", add_slice, false},
    {"Concat", add_concat, true},        {"Split", add_split, false},
    {"Tile", add_tile, false},
};
constexpr auto kOps = [] {
  std::array<std::string_view, std::size(kRows)> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kRows[i].op;
  return names;
}();

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const std::string op = op_full_name(*node.op);
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.op == op; });
  if (row == std::end(kRows) || !has_input(node, 0)) return refuse(node, "no form of a copy");
  if (!node.inputs[0].type.encoding.is_plain()) return refuse(node, "encoded input");
  auto kernel = std::make_shared<VulkanKernel>("copy " + op);
  const Status added = row->add(*kernel, target, node);
  if (!added) return added.error();
  for (std::size_t i = 1; !row->all_inputs && i < node.inputs.size(); ++i) {
    kernel->absorbed |= 1ull << i;
  }
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() { return copy_variants("copy"); }

}  // namespace

extern const KernelFamily family_movement;
const KernelFamily family_movement{{"movement", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
