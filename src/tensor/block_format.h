#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/encoding.h"

namespace polaris {

/// Decodes `elements` (a multiple of block_elements) from `blocks` into `out`, fp32.
void decode_blocks(BlockFormat format, const std::byte* blocks, std::int64_t elements, float* out);
/// Encodes as ggml's reference quantizer does (quantize_row_q4_0_ref, quantize_row_q8_0_ref).
void encode_blocks(BlockFormat format, const float* in, std::int64_t elements, std::byte* blocks);

}  // namespace polaris
