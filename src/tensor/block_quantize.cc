#include "tensor/block_quantize.h"

#include <algorithm>
#include <cmath>

#include "tensor/block_codec.h"
#include "tensor/block_codes.h"
#include "tensor/block_fit.h"
#include "tensor/block_format.h"
#include "tensor/block_pack.h"

namespace polaris {
namespace {

constexpr int kBlock = 32;
constexpr float kHalf = 0.5f;

/// Codes from a minimum on.
template <int kTop>
float codes_above(const float* in, float low, std::uint8_t* codes) {
  const float d = (*std::max_element(in, in + kBlock) - low) / static_cast<float>(kTop);
  const float inverse = block::inverse_of(d);
  for (int i = 0; i < kBlock; ++i) {
    const auto code = static_cast<int>((in[i] - low) * inverse + kHalf);
    codes[i] = static_cast<std::uint8_t>(std::min(kTop, code));
  }
  return d;
}

void pack_fifth_bits(const std::uint8_t* codes, std::byte* out) {
  std::uint32_t bits = 0;
  for (int i = 0; i < kBlock; ++i) bits |= (static_cast<std::uint32_t>(codes[i]) >> 4) << i;
  std::memcpy(out, &bits, sizeof bits);
}

/// Those that caches are written in have one way to be written.
template <BlockFormat kFormat>
void quantize_at_once(const float* in, std::byte* block) {
  encode_blocks(kFormat, in, kBlock, block);
}

void quantize_q4_1(const float* in, std::byte* block) {
  std::uint8_t codes[kBlock];
  const float low = *std::min_element(in, in + kBlock);
  block::put_half(block, f32_to_f16(codes_above<15>(in, low, codes)));
  block::put_half(block + block::kQ41Min, f32_to_f16(low));
  block::pack_nibbles<16>(codes, block + block::kQ41Codes);
}

/// Codes around a middle: the value of the largest magnitude is the lowest code.
void quantize_q5_0(const float* in, std::byte* block) {
  float peak = 0;
  for (int i = 0; i < kBlock; ++i) {
    if (std::fabs(in[i]) > std::fabs(peak)) peak = in[i];
  }
  const float d = peak / -16.0f;
  const float inverse = block::inverse_of(d);
  std::uint8_t codes[kBlock];
  for (int i = 0; i < kBlock; ++i) {
    codes[i] = static_cast<std::uint8_t>(std::min(31, static_cast<int>(in[i] * inverse + 16.5f)));
  }
  block::put_half(block, f32_to_f16(d));
  pack_fifth_bits(codes, block + block::kQ50High);
  block::pack_nibbles<16>(codes, block + block::kQ50Codes);
}

void quantize_q5_1(const float* in, std::byte* block) {
  std::uint8_t codes[kBlock];
  const float low = *std::min_element(in, in + kBlock);
  block::put_half(block, f32_to_f16(codes_above<31>(in, low, codes)));
  block::put_half(block + block::kQ41Min, f32_to_f16(low));
  pack_fifth_bits(codes, block + block::kQ51High);
  block::pack_nibbles<16>(codes, block + block::kQ51Codes);
}

using Quantize = void (*)(const float* in, std::byte* block);
/// Null where nothing writes the format.
Quantize quantizer_of(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return quantize_at_once<BlockFormat::kQ4_0>;
    case BlockFormat::kQ4_1: return quantize_q4_1;
    case BlockFormat::kQ5_0: return quantize_q5_0;
    case BlockFormat::kQ5_1: return quantize_q5_1;
    case BlockFormat::kQ8_0: return quantize_at_once<BlockFormat::kQ8_0>;
    case BlockFormat::kQ2_K: return block::quantize_q2_k;
    case BlockFormat::kQ3_K: return block::quantize_q3_k;
    case BlockFormat::kQ4_K: return block::quantize_q4_k;
    case BlockFormat::kQ5_K: return block::quantize_q5_k;
    case BlockFormat::kQ6_K: return block::quantize_q6_k;
    case BlockFormat::kIQ1_S:
    case BlockFormat::kIQ1_M:
    case BlockFormat::kIQ2_XXS:
    case BlockFormat::kIQ2_XS:
    case BlockFormat::kIQ2_S:
    case BlockFormat::kIQ3_XXS:
    case BlockFormat::kIQ3_S:
    case BlockFormat::kIQ4_NL:
    case BlockFormat::kIQ4_XS:
    case BlockFormat::kTQ1_0:
    case BlockFormat::kTQ2_0:
    case BlockFormat::kMXFP4:
    case BlockFormat::kNVFP4: break;
  }
  return nullptr;
}

}  // namespace

bool quantizes(BlockFormat format) { return quantizer_of(format) != nullptr; }

void quantize_blocks(BlockFormat format, const float* in, std::int64_t elements,
                     std::byte* blocks) {
  const BlockFormatInfo info = block_format_info(format);
  const Quantize quantize = quantizer_of(format);
  for (std::int64_t b = 0; b < elements / info.block_elements; ++b) {
    quantize(in + b * info.block_elements, blocks + b * info.block_bytes);
  }
}

}  // namespace polaris
