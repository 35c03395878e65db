#include "backend/vulkan/parts/index_check.h"

#include <string>
#include <utility>

#include "backend/vulkan/parts/kernel_util.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

bool all_in_range(const std::vector<std::int64_t>& indices, std::span<const std::int64_t> sizes) {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::int64_t size = sizes[i % sizes.size()];
    if (indices[i] >= size || indices[i] < -size) return false;
  }
  return true;
}

}  // namespace

Status add_index_check(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node,
                       int input, std::span<const std::int64_t> sizes) {
  const OperandDesc& indices = node.inputs[static_cast<std::size_t>(input)];
  const std::int64_t count = operand_elements(indices);
  if (count == 0 || sizes.empty()) return Status::success();
  const auto known = known_ints(node, static_cast<std::size_t>(input));
  if (known && all_in_range(*known, sizes)) return Status::success();
  std::vector<std::uint32_t> words;
  for (const std::int64_t size : sizes) {
    // The shader looks at 32 bits, with a sign.
    if (size > INT32_MAX) return refuse(node, "a dim of 2^31 or more, addressed by indices");
    words.push_back(static_cast<std::uint32_t>(size));
  }
  const bool tuples = sizes.size() > 1;
  Dispatch d;
  d.shader = "index_check";
  d.constants = {indices.type.dtype == DType::kI64 ? 1u : 0u,
                 static_cast<std::uint32_t>(sizes.size())};
  d.push = {static_cast<std::uint32_t>(count), words[0]};
  d.operands = {Operand::input(input),
                Operand::params(tuples ? append_params(kernel, words, target.alignment_bytes) : 0),
                Operand::status()};
  d.grid = grid_1d(target, ceil_div(count, 256));
  d.barrier_before = false;
  // It runs beside the move, whose start is paid already.
  d.estimate_us = model_us(operand_bytes(indices), 0) - model_us(0, 0);
  kernel.report_text = "index, got {}, wanted one ";
  kernel.report_text +=
      tuples ? "within the dim that it addresses" : "below " + std::to_string(sizes[0]);
  kernel.dispatches.push_back(std::move(d));
  return Status::success();
}

std::vector<ShaderVariant> index_check_variants() {
  std::vector<ShaderVariant> all;
  for (const std::uint32_t wide : {0u, 1u}) {
    for (const std::uint32_t dims : {1u, 3u}) {
      all.push_back(
          {std::string("index_check") + (wide != 0 ? " i64" : " i32") + (dims > 1 ? " tuples" : ""),
           "index_check",
           {wide, dims},
           3,
           8,
           0});
    }
  }
  return all;
}

}  // namespace polaris::vulkan
