#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "backend/vulkan/parts/affine_weight.h"
#include "backend/vulkan/parts/block_shaders.h"
#include "backend/vulkan/parts/index_check.h"
#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"
#include "ir/op_attrs/gather.h"

/// Gather along any axis of plain data, and of rows of an encoded table.
namespace polaris::vulkan {
namespace {

constexpr std::string_view kOps[] = {"Gather"};
constexpr std::int64_t kCountMax = std::int64_t{1} << 30;

std::string_view plain_shader(ElementWidth unit) {
  switch (unit.raw()) {
    case 1: return "gather.b1";
    case 2: return "gather.b2";
    case 4: return "gather.b4";
    case 8: return "gather.b8";
    default: return "gather.b16";
  }
}

Result<std::uint32_t> wide_indices(const NodeDesc& node) {
  switch (node.inputs[1].type.dtype) {
    case DType::kI32: return 0u;
    case DType::kI64: return 1u;
    default: return refuse(node, "indices that are neither int32 nor int64");
  }
}

/// A table's rows in parts that fit a binding and start aligned.
struct Parts {
  std::int64_t rows = 0;
  std::int64_t rows_each = 0;
  std::int64_t row_bytes = 0;
};

Result<Parts> split_rows(const VulkanTarget& target, const NodeDesc& node, std::int64_t rows,
                         std::int64_t row_bytes) {
  Parts parts{rows, rows, row_bytes};
  if (row_bytes <= 0 || rows * row_bytes <= target.binding_bytes_max) return parts;
  const std::int64_t shared = std::gcd(target.alignment_bytes, row_bytes);
  const std::int64_t unit = std::max<std::int64_t>(target.alignment_bytes / shared, 1);
  parts.rows_each = target.binding_bytes_max / row_bytes / unit * unit;
  if (parts.rows_each == 0) return refuse(node, "a row that exceeds the binding limit");
  return parts;
}

/// One dispatch per part of the table; the last two push words are the part's rows.
void add_parts(VulkanKernel& kernel, const Parts& parts, const Dispatch& dispatch) {
  for (std::int64_t row = 0; row < parts.rows; row += parts.rows_each) {
    const std::int64_t end = std::min(parts.rows, row + parts.rows_each);
    Dispatch part = dispatch;
    part.push.push_back(static_cast<std::uint32_t>(row));
    part.push.push_back(static_cast<std::uint32_t>(end));
    part.operands[0] = Operand::input(0, row * parts.row_bytes, (end - row) * parts.row_bytes);
    part.barrier_before = false;
    kernel.dispatches.push_back(std::move(part));
  }
}

KernelResult select_plain(const VulkanTarget& target, const NodeDesc& node, int axis,
                          std::uint32_t wide) {
  const Shape& data = node.inputs[0].type.shape;
  const std::int64_t indices = operand_elements(node.inputs[1]);
  const std::int64_t outer = data.elements_between(0, axis);
  std::int64_t inner = data.elements_between(axis + 1, data.rank());
  ElementWidth unit = width_of(node.inputs[0].type.dtype);
  while (unit.raw() < 16 && inner % 2 == 0 && inner > 0) {
    inner /= 2;
    unit = unit.twice();
  }
  const std::int64_t count = outer * indices * inner;
  if (count >= kCountMax) return refuse(node, "more than 2^30 elements");
  auto kernel = std::make_shared<VulkanKernel>(std::string(plain_shader(unit)));
  Parts parts{data[axis], data[axis], operand_bytes(node.inputs[0])};
  if (outer == 1) {
    Result<Parts> split = split_rows(target, node, data[axis], unit.of(inner));
    if (!split) return split.error();
    parts = *split;
  } else {
    // One part: rows of all outer slices lie in one binding or nowhere.
    parts.row_bytes = unit.of(outer * inner);
  }
  Dispatch dispatch;
  dispatch.shader = plain_shader(unit);
  dispatch.constants = {wide};
  const FastDivisor by_inner = fast_divisor(static_cast<std::uint32_t>(inner));
  const FastDivisor by_indices = fast_divisor(static_cast<std::uint32_t>(indices));
  dispatch.push = {static_cast<std::uint32_t>(count),
                   static_cast<std::uint32_t>(inner),
                   by_inner.multiplier,
                   by_inner.shift,
                   static_cast<std::uint32_t>(indices),
                   static_cast<std::uint32_t>(data[axis]),
                   by_indices.multiplier,
                   by_indices.shift};
  dispatch.operands = {Operand::input(0), Operand::input(1), Operand::output(0)};
  dispatch.grid = grid_1d(target, ceil_div(count, 256));
  dispatch.estimate_us = model_us(unit.of(2 * count), 0);
  if (count > 0) add_parts(*kernel, parts, dispatch);
  const std::int64_t rows[] = {data[axis]};
  if (count > 0) {
    if (auto s = add_index_check(*kernel, target, node, 1, rows); !s) return s.error();
  }
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

KernelResult select_blocks(const VulkanTarget& target, const NodeDesc& node, std::uint32_t wide) {
  const TensorType& table = node.inputs[0].type;
  const DType out = node.outputs[0].type.dtype;
  if (out != DType::kF32 && out != DType::kF16) return refuse(node, "decodes to no float");
  const BlockFormatInfo format = block_format_info(table.encoding.format);
  const std::string_view shader = block_shaders(table.encoding.format).gather;
  if (shader.empty()) return refuse(node, "blocks of " + std::string(format.name));
  const std::int64_t row = table.shape.elements_between(1, table.shape.rank());
  const std::int64_t pairs = operand_elements(node.inputs[1]) * row / 2;
  if (pairs >= kCountMax) return refuse(node, "more than 2^30 elements");
  auto kernel = std::make_shared<VulkanKernel>(std::string(shader));
  Result<Parts> parts =
      split_rows(target, node, table.shape[0], row / format.block_elements * format.block_bytes);
  if (!parts) return parts.error();
  const FastDivisor by_row = fast_divisor(static_cast<std::uint32_t>(row / 2));
  Dispatch dispatch;
  dispatch.shader = shader;
  dispatch.constants = {wide, out == DType::kF16 ? 1u : 0u};
  dispatch.push = {static_cast<std::uint32_t>(pairs), static_cast<std::uint32_t>(row / 2),
                   by_row.multiplier, by_row.shift, static_cast<std::uint32_t>(table.shape[0])};
  dispatch.operands = {Operand::input(0), Operand::input(1), Operand::output(0)};
  dispatch.grid = grid_1d(target, ceil_div(pairs, 256));
  dispatch.estimate_us = model_us(width_of(out).of(pairs * 2) + pairs * 2, pairs * 4);
  if (pairs > 0) add_parts(*kernel, *parts, dispatch);
  const std::int64_t rows[] = {table.shape[0]};
  if (pairs > 0) {
    if (auto s = add_index_check(*kernel, target, node, 1, rows); !s) return s.error();
  }
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

KernelResult select_affine(const VulkanTarget& target, const NodeDesc& node, std::uint32_t wide) {
  const Result<AffineWeight> weight = read_affine_weight(target, node, 0);
  if (!weight) return weight.error();
  const Result<std::uint32_t> y = float_code(node, node.outputs[0]);
  if (!y) return y.error();
  const TensorType& table = node.inputs[0].type;
  const std::int64_t row = table.shape.elements_between(1, table.shape.rank());
  const std::int64_t count = operand_elements(node.outputs[0]);
  if (count >= kCountMax || table.shape.elements() > UINT32_MAX) {
    return refuse(node, "more than 2^30 results or 2^32 elements");
  }
  const Result<Parts> parts = split_rows(target, node, table.shape[0], row);
  if (!parts) return parts.error();
  auto kernel = make_affine_kernel("gather_affine", 0, *weight);
  const FastDivisor by_row = fast_divisor(static_cast<std::uint32_t>(row));
  Dispatch dispatch;
  dispatch.shader = "gather_affine";
  dispatch.constants = {wide, weight->mode, weight->zero ? 1u : 0u, type_code(weight->storage), *y};
  dispatch.push = {static_cast<std::uint32_t>(count),
                   static_cast<std::uint32_t>(row),
                   by_row.multiplier,
                   by_row.shift,
                   static_cast<std::uint32_t>(table.shape[0]),
                   static_cast<std::uint32_t>(weight->axis),
                   static_cast<std::uint32_t>(weight->inner),
                   static_cast<std::uint32_t>(weight->block)};
  dispatch.operands = {Operand::input(0), Operand::input(1), Operand::output(0), weight->scales(0),
                       weight->zeros(0)};
  dispatch.grid = grid_1d(target, ceil_div(count, 256));
  dispatch.estimate_us = model_us(count * 5, count * 8);
  add_parts(*kernel, *parts, dispatch);
  const std::int64_t rows[] = {table.shape[0]};
  if (auto s = add_index_check(*kernel, target, node, 1, rows); !s) return s.error();
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& data = node.inputs[0].type;
  const auto axis = normalize_axis(node.attributes<GatherAttrs>().axis, data.shape.rank());
  if (!axis) return refuse(node, "axis names no axis");
  const Result<std::uint32_t> wide = wide_indices(node);
  if (!wide) return wide.error();
  if (data.shape[*axis] == 0 && operand_elements(node.outputs[0]) > 0) {
    return refuse(node, "an axis of no elements");
  }
  if (data.encoding.is_plain()) return select_plain(target, node, *axis, *wide);
  if (*axis != 0) return refuse(node, "an encoded table along another axis than 0");
  if (!data.encoding.is_block()) return select_affine(target, node, *wide);
  return select_blocks(target, node, *wide);
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all = index_check_variants();
  for (const std::uint32_t wide : {0u, 1u}) {
    const std::string index = wide != 0 ? " i64" : " i32";
    for (const std::int64_t bytes : {1, 2, 4, 8, 16}) {
      const std::string_view shader = plain_shader(ElementWidth(bytes));
      all.push_back({std::string(shader) + index, shader, {wide}, 3, 40, 0});
    }
    for (int format = 0; format < kBlockFormatCount; ++format) {
      const std::string_view shader = block_shaders(static_cast<BlockFormat>(format)).gather;
      if (shader.empty()) continue;
      all.push_back({std::string(shader) + index + " f32", shader, {wide, 0}, 3, 28, 0});
      all.push_back({std::string(shader) + index + " f16", shader, {wide, 1}, 3, 28, 0});
    }
    for (std::uint32_t mode = 0; mode < 3; ++mode) {
      all.push_back({"gather_affine" + index + " mode" + std::to_string(mode),
                     "gather_affine",
                     {wide, mode, 1, kTypeU8, kTypeF32},
                     5,
                     40,
                     0});
    }
  }
  return all;
}

}  // namespace

extern const KernelFamily family_gather;
const KernelFamily family_gather{{"gather", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
