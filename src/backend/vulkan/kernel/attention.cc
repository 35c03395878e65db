#include <algorithm>
#include <cmath>
#include <string>

#include "backend/vulkan/kernel_util.h"
#include "base/checked.h"

/// polaris.KvWrite and polaris.PagedAttention over plain and block-encoded caches.
namespace polaris::vulkan {
namespace {

struct CacheFormat {
  std::string_view name;
  std::string_view write;
  std::string_view read;
  std::int64_t unit;  // elements that one thread writes
};
constexpr CacheFormat kFormats[] = {
    {"f32", "kv_write.f32", "paged_attention.f32", 1},
    {"f16", "kv_write.f16", "paged_attention.f16", 1},
    {"q8_0", "kv_write.q8_0", "paged_attention.q8_0", 32},
    {"q4_0", "kv_write.q4_0", "paged_attention.q4_0", 32},
};

/// The two caches' common format, or null.
const CacheFormat* cache_format(const TensorType& k, const TensorType& v) {
  if (k.dtype != v.dtype || k.encoding != v.encoding || k.shape != v.shape) return nullptr;
  if (k.encoding.is_block()) {
    return &kFormats[k.encoding.format == BlockFormat::kQ8_0 ? 2 : 3];
  }
  if (!k.encoding.is_plain()) return nullptr;
  if (k.dtype == DType::kF32) return &kFormats[0];
  return k.dtype == DType::kF16 ? &kFormats[1] : nullptr;
}

std::uint32_t word(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// Shaders count elements in 32 bits, and a binding has its limit.
bool too_large(const VulkanTarget& target, const OperandDesc& operand) {
  return operand_elements(operand) > INT32_MAX || operand_bytes(operand) > target.binding_bytes_max;
}

Status check_operands(const VulkanTarget& target, const NodeDesc& node) {
  for (const OperandDesc& operand : node.inputs) {
    if (too_large(target, operand)) return refuse(node, "an operand larger than a binding may be");
  }
  return Status::success();
}

KernelResult select_write(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& cache = node.inputs[0].type;
  const CacheFormat* format = cache_format(cache, node.inputs[1].type);
  if (format == nullptr) return refuse(node, "caches of this type");
  if (node.inputs[2].type.dtype != DType::kF32) return refuse(node, "rows that are not float32");
  if (Status s = check_operands(target, node); !s) return s.error();
  const std::int64_t width = cache.shape[2];
  const std::int64_t tokens = node.inputs[2].type.shape[0];
  if (width == 0 || width % format->unit != 0) return refuse(node, "rows of no whole blocks");
  if (tokens > target.group_count_max) return refuse(node, "too many tokens");
  const std::int64_t units = width / format->unit;
  auto kernel = std::make_shared<VulkanKernel>("kv_write_" + std::string(format->name));
  Dispatch d;
  d.shader = format->write;
  d.push = {word(units), word(cache.shape[0] * cache.shape[1]), 0};
  d.operands = {Operand::input(2), Operand::input(3), Operand::input(4), Operand::output(0),
                Operand::output(1)};
  d.grid = {word(ceil_div(units, 64)), word(tokens), 2};
  d.barrier_before = false;
  d.estimate_us = model_us(tokens * width * 12, tokens * width * 8);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<const Kernel>(std::move(kernel));
}

/// Query heads a workgroup: with many tokens there are workgroups enough, and heads of one kv head
/// share what they read. By the token count of the plan only.
std::int64_t heads_together(std::int64_t tokens, std::int64_t ratio) {
  if (tokens < 8) return 1;
  return ratio % 4 == 0 ? 4 : ratio % 2 == 0 ? 2 : 1;
}

/// Threads a workgroup: with few tokens and long sequences a head must keep a whole compute unit
/// busy. By the plan's shapes only.
std::uint32_t chunk_for(const VulkanTarget& target, std::int64_t together, std::int64_t workgroups,
                        std::int64_t reach) {
  constexpr std::int64_t kWorkgroupsEnough = 256;
  std::uint32_t chunk = 256;
  if (workgroups >= kWorkgroupsEnough || together > 1) return chunk;
  while (chunk < 1024 && chunk * 2 <= reach && chunk * 2 <= target.group_threads_max) chunk *= 2;
  return chunk;
}

KernelResult select_read(const VulkanTarget& target, const NodeDesc& node) {
  const TensorType& cache = node.inputs[1].type;
  const CacheFormat* format = cache_format(cache, node.inputs[2].type);
  if (format == nullptr) return refuse(node, "caches of this type");
  const Shape& q = node.inputs[0].type.shape;
  if (node.inputs[0].type.dtype != DType::kF32) return refuse(node, "queries that are not float32");
  if (Status s = check_operands(target, node); !s) return s.error();
  const std::int64_t heads = attr_int(node, "num_heads", 1);
  const std::int64_t kv_heads = attr_int(node, "num_kv_heads", 1);
  const std::int64_t head = q[1] / heads;
  if (head == 0 || head % 4 != 0 || head > 256) {
    return refuse(node, "heads of " + std::to_string(head) + ", wanted a multiple of 4 to 256");
  }
  const std::int64_t rows = cache.shape[0] * cache.shape[1];
  const Shape& table = node.inputs[3].type.shape;
  if (rows == 0 || table[0] * table[1] == 0) return refuse(node, "an empty cache");
  if (q[0] > target.group_count_max) return refuse(node, "too many tokens");
  float scale = attr_float(node, "scale", 0);
  if (scale == 0) scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(head)));
  const std::int64_t together = heads_together(q[0], heads / kv_heads);
  auto kernel = std::make_shared<VulkanKernel>("paged_attention_" + std::string(format->name));
  Dispatch d;
  d.shader = format->read;
  const std::uint32_t chunk =
      chunk_for(target, together, heads / together * q[0], table[1] * cache.shape[1]);
  d.constants = {word(head), word(together), chunk};
  d.push = {word(heads),          word(heads / kv_heads), word(cache.shape[2]), word(rows),
            word(cache.shape[1]), word(table[0]),         word(table[1]),       float_bits(scale)};
  for (int i = 0; i < 6; ++i) d.operands.push_back(Operand::input(i));
  d.operands.push_back(Operand::output(0));
  d.grid = {word(heads / together), word(q[0]), 1};
  d.barrier_before = false;
  // What the context will be is not known; half the table's reach is as good a guess as any.
  const std::int64_t positions = table[1] * cache.shape[1] / 2;
  d.estimate_us = model_us(2 * positions * kv_heads * head * 2, 4 * q[0] * positions * q[1]);
  kernel->dispatches.push_back(std::move(d));
  finish_estimate(*kernel, node);
  return std::shared_ptr<const Kernel>(std::move(kernel));
}

KernelResult select(const VulkanTarget& target, const NodeDesc& node) {
  if (operand_elements(node.outputs[0]) == 0) return refuse(node, "an empty output");
  return node.op->name == "KvWrite" ? select_write(target, node) : select_read(target, node);
}

std::vector<ShaderVariant> variants() {
  std::vector<ShaderVariant> all;
  for (const CacheFormat& format : kFormats) {
    all.push_back({std::string(format.write),
                   format.write,
                   {},
                   5,
                   8,
                   static_cast<std::uint32_t>(format.unit)});
    for (const std::uint32_t head : {8u, 64u, 80u, 128u, 256u}) {
      const std::string name = std::string(format.read) + " d" + std::to_string(head) + "x";
      for (const std::uint32_t together : {1u, 2u, 4u}) {
        for (const std::uint32_t chunk : {256u, 512u, 1024u}) {
          if (together > 1 && chunk > 256) continue;
          all.push_back({name + std::to_string(together) + " " + std::to_string(chunk),
                         format.read,
                         {head, together, chunk},
                         7,
                         32,
                         chunk * together});
        }
      }
    }
  }
  return all;
}

constexpr std::string_view kOps[] = {"polaris.KvWrite", "polaris.PagedAttention"};

}  // namespace

extern const KernelFamily family_attention;
const KernelFamily family_attention = {"attention", kOps, select, variants};

}  // namespace polaris::vulkan
