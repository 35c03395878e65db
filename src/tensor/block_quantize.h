#pragma once
#include <cstddef>
#include <cstdint>

#include "tensor/encoding.h"

/// Blocks of weights that are made once and read often: the scales are searched for, which takes
/// longer than encode_blocks may (docs/adr/0038).
namespace polaris {

/// Larger values have no block: their float16 scale would be infinite.
inline constexpr float kQuantizableMax = 1e9f;

/// Whether quantize_blocks writes the format.
bool quantizes(BlockFormat format);
/// Writes `elements` (a multiple of block_elements, none beyond kQuantizableMax in magnitude) in a
/// format that quantizes(). Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 are the bytes of GGUF's own tools; the
/// others are those of the least squared error that a search finds, the same on every machine.
void quantize_blocks(BlockFormat format, const float* in, std::int64_t elements, std::byte* blocks);

namespace block {

void quantize_q2_k(const float* in, std::byte* block);
void quantize_q3_k(const float* in, std::byte* block);
void quantize_q4_k(const float* in, std::byte* block);
void quantize_q5_k(const float* in, std::byte* block);
void quantize_q6_k(const float* in, std::byte* block);

}  // namespace block
}  // namespace polaris
