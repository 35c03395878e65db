#pragma once
#include <cstddef>
#include <cstdint>

#include "tensor/block_format.h"

namespace polaris::vulkan {

/// How linear.comp has block-encoded weights: 64 rows to a group, units of 32 k, and in a format of
/// 256 elements eight units together. What lies where: linear.comp and linear_blocks.glsl.
inline constexpr std::int64_t kLinearRows = 64;
inline constexpr std::int64_t kLinearUnit = 32;

/// Bytes of a unit: those of the file's blocks.
constexpr std::int64_t linear_unit_bytes(BlockFormat format) {
  const BlockFormatInfo info = block_info(format);
  return kLinearRows * info.block_bytes * kLinearUnit / info.block_elements;
}

/// Rows [n][k] of a format that has a shader, packed as [group][unit]; `out` is zeros.
void pack_linear_blocks(BlockFormat format, std::int64_t n, std::int64_t k, const std::byte* from,
                        std::byte* out);

}  // namespace polaris::vulkan
