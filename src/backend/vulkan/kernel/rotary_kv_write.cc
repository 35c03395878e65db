#include <algorithm>
#include <string>

#include "backend/vulkan/parts/cache_format.h"
#include "base/checked.h"
#include "ir/op_attrs/attention.h"

/// polaris.RotaryKvWrite: one dispatch turns q and k and writes k and v into their caches.
namespace polaris::vulkan {
namespace {

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

Status check(const VulkanTarget& target, const NodeDesc& node, const CacheFormat& format) {
  if (operand_elements(node.outputs[2]) == 0) return refuse(node, "an empty output");
  if (format.turned_write.empty()) {
    return refuse(node, "caches of " + std::string(format.name));
  }
  if (row_type(node.inputs[2].type.dtype) < 0) return refuse(node, "rows of float64");
  for (const std::size_t table : {5, 6}) {
    const TensorType& type = node.inputs[table].type;
    if (type.dtype != DType::kF32) return refuse(node, "tables of another type than float32");
    if (type.shape.elements() == 0) return refuse(node, "nothing to rotate");
  }
  const std::int64_t width = node.inputs[0].type.shape[2];
  if (width == 0 || width % format.unit != 0) return refuse(node, "rows of no whole blocks");
  if (node.inputs[2].type.shape[0] > target.group_count_max) {
    return refuse(node, "too many tokens");
  }
  return check_bindings(target, node);
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& cache = node.inputs[0].type;
  const Result<CacheFormat> format = cache_format(node, cache, node.inputs[1].type);
  if (!format) return format.error();
  if (Status s = check(target, node, *format); !s) return s.error();
  const auto& attrs = node.attributes<RotaryKvWriteAttrs>();
  const TensorType& q = node.inputs[2].type;
  const std::int64_t tokens = q.shape[0];
  const std::int64_t width = cache.shape[2];
  const std::int64_t units = width / format->unit;
  const std::int64_t table_rows = node.inputs[5].type.shape[0];
  auto kernel = std::make_shared<VulkanKernel>("rotary_kv_write_" + std::string(format->name));
  Dispatch d;
  d.shader = format->turned_write;
  d.constants = {word(row_type(q.dtype)), word(q.shape[1] / attrs.num_heads),
                 word(node.inputs[5].type.shape[1]), attrs.interleaved ? 1u : 0u,
                 node.inputs[7].type.dtype == DType::kI64 ? 2u : 1u};
  d.push = {word(units), word(cache.shape[0] * cache.shape[1]), 0, word(q.shape[1]),
            word(table_rows)};
  d.operands = {Operand::input(3),  Operand::input(4), Operand::input(8),  Operand::output(0),
                Operand::output(1), Operand::input(2), Operand::output(2), Operand::input(7),
                Operand::input(5),  Operand::input(6), Operand::status()};
  kernel->report_text = "position, got {}, wanted 0 to " + std::to_string(table_rows - 1);
  d.grid = {word(ceil_div(std::max(width / format->each, q.shape[1]), 64)), word(tokens), 3};
  d.barrier_before = false;
  d.estimate_us = model_us(tokens * (width * 12 + q.shape[1] * 8), tokens * width * 16);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<Kernel>(std::move(kernel));
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  constexpr std::string_view kRowNames[] = {"", " f16 rows", " bf16 rows"};
  for (const CacheFormat& format : cache_formats()) {
    if (format.turned_write.empty()) continue;
    const auto add = [&](std::uint32_t rows, std::uint32_t interleaved, std::uint32_t words) {
      std::string name = std::string(format.turned_write) + std::string(kRowNames[rows]);
      if (interleaved != 0) name += " interleaved";
      if (words == 2) name += " int64";
      all.push_back({std::move(name),
                     format.turned_write,
                     {rows, 128, 64, interleaved, words},
                     11,
                     20,
                     static_cast<std::uint32_t>(format.each)});
    };
    for (const std::uint32_t rows : {0u, 1u, 2u}) add(rows, 0, 1);
    add(0, 1, 1);
    add(0, 0, 2);
  }
  return all;
}

constexpr std::string_view kOps[] = {"polaris.RotaryKvWrite"};

}  // namespace

extern const KernelFamily family_rotary_kv_write;
const KernelFamily family_rotary_kv_write{{"rotary_kv_write", kOps, one_kernel<select>}, variants};

}  // namespace polaris::vulkan
