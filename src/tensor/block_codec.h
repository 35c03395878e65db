#pragma once
#include <cstddef>
#include <cstdint>

#include "tensor/encoding.h"

namespace polaris {

/// Decodes `elements` (a multiple of block_elements) from `blocks` into `out`, fp32: the bits that
/// GGUF's own tools give.
void decode_blocks(BlockFormat format, const std::byte* blocks, std::int64_t elements, float* out);
/// Whether encode_blocks writes the format: what a cache may be stored in.
bool encodes(BlockFormat format);
/// Encodes, in a format that encodes(), as ggml's reference quantizer does (quantize_row_q4_0_ref,
/// quantize_row_q8_0_ref).
void encode_blocks(BlockFormat format, const float* in, std::int64_t elements, std::byte* blocks);

}  // namespace polaris
