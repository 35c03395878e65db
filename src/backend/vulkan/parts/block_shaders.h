#pragma once
#include <cstdint>
#include <string_view>

#include "tensor/block_format.h"

namespace polaris::vulkan {

/// The modules that read or write blocks of one format; "": nothing does, and a node that would
/// need it is refused by the format's name. linear.comp's are in kernel/linear.cc, with what packs
/// their weights.
struct BlockShaders {
  std::string_view decode, gather, kv_write, paged_attention;
  std::string_view turned_write = {};  // kv_write that turns k and q
};
constexpr BlockShaders block_shaders(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0:
      return {"decode.q4_0", "gather_blocks.q4_0", "kv_write.q4_0", "paged_attention.q4_0",
              "kv_write.turned_q4_0"};
    case BlockFormat::kQ8_0:
      return {"decode.q8_0", "gather_blocks.q8_0", "kv_write.q8_0", "paged_attention.q8_0",
              "kv_write.turned_q8_0"};
    case BlockFormat::kQ4_1:
    case BlockFormat::kQ5_0:
    case BlockFormat::kQ5_1:
    case BlockFormat::kQ2_K:
    case BlockFormat::kQ3_K:
    case BlockFormat::kQ4_K:
    case BlockFormat::kQ5_K:
    case BlockFormat::kQ6_K:
    case BlockFormat::kIQ4_NL:
    case BlockFormat::kIQ4_XS:
    case BlockFormat::kMXFP4:
    case BlockFormat::kNVFP4:
    case BlockFormat::kTQ1_0:
    case BlockFormat::kTQ2_0:
    case BlockFormat::kIQ1_S:
    case BlockFormat::kIQ1_M:
    case BlockFormat::kIQ2_XXS:
    case BlockFormat::kIQ2_XS:
    case BlockFormat::kIQ2_S:
    case BlockFormat::kIQ3_XXS:
    case BlockFormat::kIQ3_S: return {};
  }
  return {};
}

using uint = std::uint32_t;
#include "backend/vulkan/shader/block_halves.glsl"
static_assert(kQ4_0Halves * 2 == block_info(BlockFormat::kQ4_0).block_bytes &&
              kQ8_0Halves * 2 == block_info(BlockFormat::kQ8_0).block_bytes);

}  // namespace polaris::vulkan
