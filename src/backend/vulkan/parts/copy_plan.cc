#include "backend/vulkan/parts/copy_plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

constexpr std::size_t kDispatchesMax = 4096;

std::string_view shader_of(ElementWidth width) {
  switch (width.raw()) {
    case 1: return "copy.b1";
    case 2: return "copy.b2";
    case 4: return "copy.b4";
    case 8: return "copy.b8";
    default: return "copy.b16";
  }
}

/// Takes two elements for one where runs, strides and bases are even.
bool widen(Copy& copy) {
  SpaceDim& last = copy.space.back();
  const std::int64_t pair = copy.width.twice().raw();
  if (pair > 16 || last.size % 2 != 0 || last.strides[0] != 1 || last.strides[1] != 1 ||
      copy.from_base % 2 != 0 || copy.to_base % 2 != 0 || copy.from_bytes % pair != 0 ||
      copy.to_bytes % pair != 0) {
    return false;
  }
  for (std::size_t d = 0; d + 1 < copy.space.size(); ++d) {
    if (copy.space[d].strides[0] % 2 != 0 || copy.space[d].strides[1] % 2 != 0) return false;
  }
  for (std::size_t d = 0; d + 1 < copy.space.size(); ++d) {
    copy.space[d].strides[0] /= 2;
    copy.space[d].strides[1] /= 2;
  }
  last.size /= 2;
  copy.from_base /= 2;
  copy.to_base /= 2;
  copy.width = copy.width.twice();
  return true;
}

/// Elements that one side touches.
struct Extent {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

Extent extent_of(const Space& space, std::size_t side, std::int64_t base) {
  Extent e{base, base};
  for (const SpaceDim& dim : space) {
    const std::int64_t reach = (dim.size - 1) * dim.strides[side];
    (reach < 0 ? e.first : e.last) += reach;
  }
  return e;
}

/// The bytes of one side, from an aligned start; `base` becomes relative to it.
Operand window(const VulkanTarget& target, const Copy& copy, std::size_t side, std::int64_t& base) {
  const Extent extent = extent_of(copy.space, side, base);
  const std::int64_t unit = target.alignment_bytes;
  const std::int64_t start = copy.width.of(extent.first) / unit * unit;
  Operand operand = side == 0 ? copy.from : copy.to;
  operand.offset += start;
  operand.bytes = copy.width.of(extent.last + 1) - start;
  base -= start / copy.width.raw();
  return operand;
}

void add_one(VulkanKernel& kernel, const VulkanTarget& target, const Copy& copy, bool barrier) {
  const std::uint32_t mode_in = operand_mode(copy.space, 0);
  const std::uint32_t mode_out = operand_mode(copy.space, 1);
  const bool strided = mode_in == kModeStrided || mode_out == kModeStrided;
  std::int64_t params = 0;
  if (strided) params = append_params(kernel, space_words(copy.space, 2), target.alignment_bytes);
  std::int64_t from_base = copy.from_base;
  std::int64_t to_base = copy.to_base;
  const Operand from = window(target, copy, 0, from_base);
  const Operand to = window(target, copy, 1, to_base);
  const std::int64_t count = space_elements(copy.space);
  Dispatch dispatch;
  dispatch.shader = shader_of(copy.width);
  dispatch.constants = {strided ? static_cast<std::uint32_t>(copy.space.size()) : 0u, mode_in,
                        mode_out};
  dispatch.push = {static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(from_base),
                   static_cast<std::uint32_t>(to_base)};
  dispatch.operands = {from, to, Operand::params(params)};
  dispatch.grid = grid_1d(target, ceil_div(count, 1024));
  dispatch.barrier_before = barrier;
  dispatch.estimate_us = model_us(copy.width.of(2 * count), 0);
  kernel.dispatches.push_back(std::move(dispatch));
}

bool fits(const VulkanTarget& target, const Copy& copy) {
  std::int64_t from_base = copy.from_base;
  std::int64_t to_base = copy.to_base;
  return window(target, copy, 0, from_base).bytes <= target.binding_bytes_max &&
         window(target, copy, 1, to_base).bytes <= target.binding_bytes_max &&
         space_elements(copy.space) < (std::int64_t{1} << 30);
}

/// Halves the outermost loop until a part fits, then goes on with the loops inside. False where
/// that would take too many dispatches.
bool add_parts(VulkanKernel& kernel, const VulkanTarget& target, const Copy& copy, bool barrier) {
  if (fits(target, copy)) {
    add_one(kernel, target, copy, barrier);
    return kernel.dispatches.size() <= kDispatchesMax;
  }
  const SpaceDim outer = copy.space.front();
  Copy part = copy;
  if (outer.size <= 1) {
    if (copy.space.size() == 1) return false;
    part.space.erase(part.space.begin());
    return add_parts(kernel, target, part, barrier);
  }
  std::int64_t rows = outer.size;
  while (rows > 1 && !fits(target, part)) {
    rows = ceil_div(rows, 2);
    part.space.front().size = rows;
  }
  for (std::int64_t row = 0; row < outer.size; row += rows) {
    part.space.front().size = std::min(rows, outer.size - row);
    part.from_base = copy.from_base + row * outer.strides[0];
    part.to_base = copy.to_base + row * outer.strides[1];
    if (!add_parts(kernel, target, part, barrier && row == 0)) return false;
  }
  return true;
}

}  // namespace

Status add_copy(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node, Copy copy,
                bool barrier) {
  copy.space = merge_space(copy.space, 2);
  if (space_elements(copy.space) == 0) return Status::success();
  while (widen(copy)) {
  }
  if (!add_parts(kernel, target, copy, barrier)) {
    return refuse(node, "an operand exceeds the binding limit and cannot be split");
  }
  return Status::success();
}

std::vector<ShaderVariant> copy_variants(std::string_view user) {
  std::vector<ShaderVariant> all;
  for (const std::int64_t bytes : {1, 2, 4, 8, 16}) {
    const std::string name = std::string(user) + " b" + std::to_string(bytes);
    all.push_back(
        {name + " same", shader_of(ElementWidth(bytes)), {0, kModeSame, kModeSame}, 3, 12, 0});
    all.push_back({name + " strided",
                   shader_of(ElementWidth(bytes)),
                   {4, kModeStrided, kModeStrided},
                   3,
                   12,
                   0});
  }
  return all;
}

}  // namespace polaris::vulkan
