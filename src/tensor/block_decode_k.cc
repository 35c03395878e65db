#include "tensor/block_codes.h"
#include "tensor/block_decode.h"

/// Formats of 256 elements whose scales are integers times a float16.
namespace polaris::block {

void decode_q2_k(const std::byte* block, float* out) {
  std::uint8_t codes[kSuper];
  codes_q2_k(block, codes);
  const float d = half_at(block + kQ2Scale);
  const float m = half_at(block + kQ2Min);
  for (int i = 0; i < kSuper; ++i) {
    const unsigned pair = byte_at(scales_q2_k(block), i / 16);
    const float scale = d * static_cast<float>(pair & 15u);
    out[i] = scale * static_cast<float>(codes[i]) - m * static_cast<float>(pair >> 4);
  }
}

void decode_q3_k(const std::byte* block, float* out) {
  std::uint8_t codes[kSuper];
  codes_q3_k(block, codes);
  const auto scales = scales_q3_k(block);
  const float d = half_at(block + kQ3Scale);
  for (std::size_t i = 0; i < kSuper; ++i) {
    out[i] = d * static_cast<float>(scales[i / 16]) * static_cast<float>(codes[i] - 4);
  }
}

namespace {

void scale_q4_k(const std::byte* block, const std::uint8_t* codes, float* out) {
  const SixBits bits = scales_q4_k(block);
  const float d = half_at(block);
  const float m = half_at(block + kQ4KMin);
  for (int i = 0; i < kSuper; ++i) {
    const int part = i / 32;
    const float scale = d * static_cast<float>(bits.scales[part]);
    out[i] = scale * static_cast<float>(codes[i]) - m * static_cast<float>(bits.mins[part]);
  }
}

}  // namespace

void decode_q4_k(const std::byte* block, float* out) {
  std::uint8_t codes[kSuper];
  codes_q4_k(block, codes);
  scale_q4_k(block, codes, out);
}

void decode_q5_k(const std::byte* block, float* out) {
  std::uint8_t codes[kSuper];
  codes_q5_k(block, codes);
  scale_q4_k(block, codes, out);
}

void decode_q6_k(const std::byte* block, float* out) {
  std::uint8_t codes[kSuper];
  codes_q6_k(block, codes);
  const float d = half_at(block + kQ6Scale);
  for (int i = 0; i < kSuper; ++i) {
    const auto scale = static_cast<std::int8_t>(block[kQ6Scales + i / 16]);
    out[i] = d * static_cast<float>(scale) * static_cast<float>(codes[i] - 32);
  }
}

void decode_iq4_xs(const std::byte* block, float* out) {
  std::uint8_t codes[kSuper];
  codes_iq4_xs(block, codes);
  const auto scales = scales_iq4_xs(block);
  const float d = half_at(block);
  for (std::size_t i = 0; i < kSuper; ++i) {
    out[i] = d * static_cast<float>(scales[i / 32]) * static_cast<float>(kIq4Values[codes[i]]);
  }
}

}  // namespace polaris::block
