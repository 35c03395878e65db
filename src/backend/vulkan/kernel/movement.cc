#include <string>
#include <utility>
#include <vector>

#include "backend/node_move.h"
#include "backend/vulkan/parts/copy_plan.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "base/checked.h"
#include "ir/op_attrs/shape.h"

/// Ops that only move elements: those that say where from (OpDef::move), and Concat and Split,
/// which are one copy a part.
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

/// What the op itself says (OpDef::move).
Status add_move(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node) {
  const auto move = node_move(node);
  if (!move) return refuse(node, "which elements move is not known");
  Copy copy = whole_copy(node);
  copy.from_base = move->start;
  copy.space.resize(move->loops.size());
  std::int64_t inner = 1;
  for (std::size_t d = move->loops.size(); d-- > 0;) {
    copy.space[d].size = move->loops[d].size;
    copy.space[d].strides[0] = move->loops[d].stride;
    copy.space[d].strides[1] = inner;
    inner *= move->loops[d].size;
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

constexpr std::string_view kOps[] = {"Concat", "Split"};

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  if (!has_input(node, 0)) return refuse(node, "no form of a copy");
  if (!node.inputs[0].type.encoding.is_plain()) return refuse(node, "encoded input");
  auto kernel = std::make_shared<VulkanKernel>("copy " + op_full_name(*node.op));
  const bool all_inputs = node.op->is("Concat");
  const Status added = node.op->move != nullptr ? add_move(*kernel, target, node)
                       : all_inputs             ? add_concat(*kernel, target, node)
                                                : add_split(*kernel, target, node);
  if (!added) return added.error();
  for (std::size_t i = 1; !all_inputs && i < node.inputs.size(); ++i) kernel->absorbed |= 1ull << i;
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() { return copy_variants("copy"); }

}  // namespace

extern const KernelFamily family_movement;
const KernelFamily family_movement{
    {.name = "movement", .ops = kOps, .candidates = one_kernel<select>, .moves = true}, variants};

}  // namespace polaris::vulkan
