#include "tensor/block_decode.h"

#include "tensor/block_codes.h"

/// Formats with one scale for all elements of a block, or a small float for a few.
namespace polaris::block {
namespace {

constexpr int kBlock = 32;

void signed_codes(float d, const std::uint8_t* codes, int zero, float* out) {
  for (int i = 0; i < kBlock; ++i) out[i] = static_cast<float>(codes[i] - zero) * d;
}
void codes_and_min(float d, float m, const std::uint8_t* codes, float* out) {
  for (int i = 0; i < kBlock; ++i) out[i] = static_cast<float>(codes[i]) * d + m;
}

}  // namespace

void decode_q4_0(const std::byte* block, float* out) {
  std::uint8_t codes[kBlock];
  nibbles<16>(block + 2, codes);
  signed_codes(half_at(block), codes, 8, out);
}
void decode_q4_1(const std::byte* block, float* out) {
  std::uint8_t codes[kBlock];
  nibbles<16>(block + kQ41Codes, codes);
  codes_and_min(half_at(block), half_at(block + kQ41Min), codes, out);
}
void decode_q5_0(const std::byte* block, float* out) {
  std::uint8_t codes[kBlock];
  codes_q5(block + kQ50High, block + kQ50Codes, codes);
  signed_codes(half_at(block), codes, 16, out);
}
void decode_q5_1(const std::byte* block, float* out) {
  std::uint8_t codes[kBlock];
  codes_q5(block + kQ51High, block + kQ51Codes, codes);
  codes_and_min(half_at(block), half_at(block + kQ41Min), codes, out);
}
void decode_q8_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = static_cast<float>(static_cast<std::int8_t>(block[2 + i])) * d;
  }
}
void decode_iq4_nl(const std::byte* block, float* out) {
  std::uint8_t codes[kBlock];
  nibbles<16>(block + 2, codes);
  const float d = half_at(block);
  for (int i = 0; i < kBlock; ++i) out[i] = d * static_cast<float>(kIq4Values[codes[i]]);
}
void decode_mxfp4(const std::byte* block, float* out) {
  std::uint8_t codes[kBlock];
  nibbles<16>(block + 1, codes);
  const float d = half_power(byte_at(block, 0));
  for (int i = 0; i < kBlock; ++i) out[i] = d * static_cast<float>(kFp4Values[codes[i]]);
}
void decode_nvfp4(const std::byte* block, float* out) {
  for (int j = 0; j < 4; ++j, out += 16) {
    std::uint8_t codes[16];
    nibbles<8>(block + 4 + 8 * j, codes);
    const float d = half_e4m3(byte_at(block, j));
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(kFp4Values[codes[i]]);
  }
}

namespace {

void three_states(float d, const std::uint8_t* codes, float* out) {
  for (int i = 0; i < kSuper; ++i) out[i] = d * static_cast<float>(codes[i] - 1);
}

}  // namespace

void decode_tq1_0(const std::byte* block, float* out) {
  std::uint8_t codes[kSuper];
  codes_tq1_0(block, codes);
  three_states(half_at(block + 52), codes, out);
}
void decode_tq2_0(const std::byte* block, float* out) {
  std::uint8_t codes[kSuper];
  codes_tq2_0(block, codes);
  three_states(half_at(block + 64), codes, out);
}

}  // namespace polaris::block
