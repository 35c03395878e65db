#include "backend/vulkan/parts/cache_format.h"

#include <string>

#include "backend/vulkan/parts/block_shaders.h"

namespace polaris::vulkan {
namespace {

constexpr CacheFormat kF32Cache = {
    "f32", "kv_write.f32", "kv_write.turned_f32", "paged_attention.f32", "prompt_attention.f32", 1,
    1};
constexpr CacheFormat kF16Cache = {
    "f16", "kv_write.f16", "kv_write.turned_f16", "paged_attention.f16", "prompt_attention.f16", 1,
    1};

constexpr CacheFormat block_cache(BlockFormat format) {
  const BlockFormatInfo info = block_info(format);
  const BlockShaders shaders = block_shaders(format);
  return {info.name,
          shaders.kv_write,
          shaders.turned_write,
          shaders.paged_attention,
          shaders.prompt_attention,
          info.block_elements,
          shaders.kv_elements};
}

}  // namespace

Result<CacheFormat> cache_format(const NodeDesc& node, const TensorType& k, const TensorType& v) {
  if (k.dtype != v.dtype || k.encoding != v.encoding || k.shape != v.shape) {
    return refuse(node, "caches of two types");
  }
  if (k.encoding.is_block()) {
    const CacheFormat blocks = block_cache(k.encoding.format);
    if (!blocks.write.empty() && !blocks.read.empty()) return blocks;
    return refuse(node, "caches of " + std::string(blocks.name));
  }
  if (k.encoding.is_plain() && k.dtype == DType::kF32) return kF32Cache;
  if (k.encoding.is_plain() && k.dtype == DType::kF16) return kF16Cache;
  return refuse(node, "caches of this type");
}

std::vector<CacheFormat> cache_formats() {
  std::vector<CacheFormat> formats = {kF32Cache, kF16Cache};
  for (int i = 0; i < kBlockFormatCount; ++i) {
    formats.push_back(block_cache(static_cast<BlockFormat>(i)));
    if (formats.back().read.empty()) formats.pop_back();
  }
  return formats;
}

std::int64_t row_type(DType dtype) {
  if (dtype == DType::kF32) return 0;
  if (dtype == DType::kF16) return 1;
  return dtype == DType::kBF16 ? 2 : -1;
}

Status check_bindings(const VulkanTarget& target, const NodeDesc& node) {
  for (const OperandDesc& operand : node.inputs) {
    if (operand_elements(operand) > INT32_MAX ||
        operand_bytes(operand) > target.binding_bytes_max) {
      return refuse(node, "an operand larger than a binding may be");
    }
  }
  return Status::success();
}

}  // namespace polaris::vulkan
