#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/encoding.h"

namespace polaris {

/// What a format's blocks are, the one place that says it; block_format_info() is this as a table.
constexpr BlockFormatInfo block_info(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return {"q4_0", 32, 18};
    case BlockFormat::kQ8_0: return {"q8_0", 32, 34};
  }
  return {};
}
static_assert(block_info(static_cast<BlockFormat>(kBlockFormatCount)).name.empty() &&
              !block_info(static_cast<BlockFormat>(kBlockFormatCount - 1)).name.empty());

/// Decodes `elements` (a multiple of block_elements) from `blocks` into `out`, fp32.
void decode_blocks(BlockFormat format, const std::byte* blocks, std::int64_t elements, float* out);
/// Encodes as ggml's reference quantizer does (quantize_row_q4_0_ref, quantize_row_q8_0_ref).
void encode_blocks(BlockFormat format, const float* in, std::int64_t elements, std::byte* blocks);

}  // namespace polaris
