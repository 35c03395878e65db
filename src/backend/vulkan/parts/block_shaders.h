#pragma once
#include <cstdint>
#include <string_view>

#include "tensor/block_format.h"

namespace polaris::vulkan {

/// The modules that read or write blocks of one format; "": nothing does, and a node that would
/// need it is refused by the format's name.
struct BlockShaders {
  std::string_view decode, gather, linear, linear_stage, linear_routed, linear_rows,
      linear_rows_stage, linear_tile, linear_tile_stage;
  std::string_view kv_write = {}, turned_write = {}, paged_attention = {},
                   prompt_attention = {};  // of a cache
  std::int64_t kv_elements = 0;            // of a block that a thread of kv_write codes: a word's
};
constexpr BlockShaders block_shaders(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0:
      return {"decode.q4_0",
              "gather_blocks.q4_0",
              "linear.q4_0",
              "linear.q4_0_stage",
              "linear.q4_0_routed",
              "linear_rows.q4_0",
              "linear_rows.q4_0_stage",
              "linear_tile.q4_0",
              "linear_tile.q4_0_stage",
              "kv_write.q4_0",
              "kv_write.turned_q4_0",
              "paged_attention.q4_0",
              "prompt_attention.q4_0",
              4};
    case BlockFormat::kQ8_0:
      return {"decode.q8_0",
              "gather_blocks.q8_0",
              "linear.q8_0",
              "linear.q8_0_stage",
              "linear.q8_0_routed",
              "linear_rows.q8_0",
              "linear_rows.q8_0_stage",
              "linear_tile.q8_0",
              "linear_tile.q8_0_stage",
              "kv_write.q8_0",
              "kv_write.turned_q8_0",
              "paged_attention.q8_0",
              "prompt_attention.q8_0",
              2};
    case BlockFormat::kQ4_1:
      return {"decode.q4_1",
              "gather_blocks.q4_1",
              "linear.q4_1",
              "linear.q4_1_stage",
              "linear.q4_1_routed",
              "linear_rows.q4_1",
              "linear_rows.q4_1_stage",
              "linear_tile.q4_1",
              "linear_tile.q4_1_stage"};
    case BlockFormat::kQ5_0:
      return {"decode.q5_0",
              "gather_blocks.q5_0",
              "linear.q5_0",
              "linear.q5_0_stage",
              "linear.q5_0_routed",
              "linear_rows.q5_0",
              "linear_rows.q5_0_stage",
              "linear_tile.q5_0",
              "linear_tile.q5_0_stage"};
    case BlockFormat::kQ5_1:
      return {"decode.q5_1",
              "gather_blocks.q5_1",
              "linear.q5_1",
              "linear.q5_1_stage",
              "linear.q5_1_routed",
              "linear_rows.q5_1",
              "linear_rows.q5_1_stage",
              "linear_tile.q5_1",
              "linear_tile.q5_1_stage"};
    case BlockFormat::kQ4_K:
      return {"decode.q4_k",
              "gather_blocks.q4_k",
              "linear.q4_k",
              "linear.q4_k_stage",
              "linear.q4_k_routed",
              "linear_rows.q4_k",
              "linear_rows.q4_k_stage",
              "linear_tile.q4_k",
              "linear_tile.q4_k_stage"};
    case BlockFormat::kQ5_K:
      return {"decode.q5_k",
              "gather_blocks.q5_k",
              "linear.q5_k",
              "linear.q5_k_stage",
              "linear.q5_k_routed",
              "linear_rows.q5_k",
              "linear_rows.q5_k_stage",
              "linear_tile.q5_k",
              "linear_tile.q5_k_stage"};
    case BlockFormat::kQ6_K:
      return {"decode.q6_k",
              "gather_blocks.q6_k",
              "linear.q6_k",
              "linear.q6_k_stage",
              "linear.q6_k_routed",
              "linear_rows.q6_k",
              "linear_rows.q6_k_stage",
              "linear_tile.q6_k",
              "linear_tile.q6_k_stage"};
    case BlockFormat::kQ2_K:
    case BlockFormat::kQ3_K:
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
constexpr bool halves_fit(BlockFormat format, uint halves) {
  return halves * 2 == block_info(format).block_bytes;
}
static_assert(
    halves_fit(BlockFormat::kQ4_0, kQ4_0Halves) && halves_fit(BlockFormat::kQ8_0, kQ8_0Halves) &&
    halves_fit(BlockFormat::kQ4_1, kQ4_1Halves) && halves_fit(BlockFormat::kQ5_0, kQ5_0Halves) &&
    halves_fit(BlockFormat::kQ5_1, kQ5_1Halves) && halves_fit(BlockFormat::kQ4_K, kQ4_KHalves) &&
    halves_fit(BlockFormat::kQ5_K, kQ5_KHalves) && halves_fit(BlockFormat::kQ6_K, kQ6_KHalves));

}  // namespace polaris::vulkan
