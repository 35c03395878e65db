#include <bit>

#include "tensor/block_codebooks.h"
#include "tensor/block_codes.h"
#include "tensor/block_decode.h"

/// Formats of 256 elements that name runs of 8 or 4 magnitudes by their number in a codebook.
namespace polaris::block {
namespace {

/// Seven signs and an eighth that makes their number even.
unsigned signs_of(unsigned seven) {
  return seven | (static_cast<unsigned>(std::popcount(seven)) & 1u) << 7;
}

float signed_by(unsigned signs, int i, float magnitude) {
  return ((signs >> i) & 1u) != 0 ? -magnitude : magnitude;
}

constexpr float kIq2[4] = {8, 25, 43, 0};
constexpr float kIq3Xxs[8] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr float kIq3S[8] = {1, 3, 5, 7, 9, 11, 13, 15};
constexpr float kIq1Delta = 0.125f;

void eight(std::uint16_t entry, float d, unsigned signs, float* out) {
  for (int i = 0; i < 8; ++i) out[i] = signed_by(signs, i, d * kIq2[(entry >> (2 * i)) & 3]);
}
void four(const float* values, std::uint16_t entry, float d, unsigned signs, float* out) {
  for (int i = 0; i < 4; ++i) out[i] = signed_by(signs, i, d * values[(entry >> (4 * i)) & 7]);
}
void eight_around(std::uint16_t entry, float d, float delta, float* out) {
  for (int i = 0; i < 8; ++i) {
    out[i] = d * (static_cast<float>(((entry >> (2 * i)) & 3) - 1) + delta);
  }
}
unsigned nibble_at(const std::byte* p, int i) { return (byte_at(p, i / 2) >> (4 * (i % 2))) & 15u; }
float half_step(float d, unsigned scale, float factor) {
  return d * (0.5f + static_cast<float>(scale)) * factor;
}

}  // namespace

void decode_iq2_xxs(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (int group = 0; group < 8; ++group) {
    const std::byte* p = block + 2 + 8 * group;
    const std::uint32_t rest = u32_at(p + 4);
    const float scale = half_step(d, rest >> 28, 0.25f);
    for (int i = 0; i < 4; ++i, out += 8) {
      eight(kCodebookIq2Xxs[byte_at(p, i)], scale, signs_of((rest >> (7 * i)) & 127u), out);
    }
  }
}

void decode_iq2_xs(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i, out += 8) {
    const unsigned q = u16_at(block + 2 + 2 * i);
    const float scale = half_step(d, nibble_at(block + 66, i / 2), 0.25f);
    eight(kCodebookIq2Xs[q & 511u], scale, signs_of(q >> 9), out);
  }
}

void decode_iq2_s(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i, out += 8) {
    const unsigned high = (byte_at(block + 66, i / 4) >> (2 * (i % 4))) & 3u;
    const float scale = half_step(d, nibble_at(block + 74, i / 2), 0.25f);
    eight(kCodebookIq2S[byte_at(block + 2, i) | high << 8], scale, byte_at(block + 34, i), out);
  }
}

void decode_iq3_xxs(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (int group = 0; group < 8; ++group) {
    const std::uint32_t rest = u32_at(block + 66 + 4 * group);
    const float scale = half_step(d, rest >> 28, 0.5f);
    for (int i = 0; i < 4; ++i, out += 8) {
      const unsigned signs = signs_of((rest >> (7 * i)) & 127u);
      const std::byte* p = block + 2 + 8 * group + 2 * i;
      four(kIq3Xxs, kCodebookIq3Xxs[byte_at(p, 0)], scale, signs, out);
      four(kIq3Xxs, kCodebookIq3Xxs[byte_at(p, 1)], scale, signs >> 4, out + 4);
    }
  }
}

void decode_iq3_s(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 64; ++i, out += 4) {
    const unsigned high = (byte_at(block + 66, i / 8) >> (i % 8)) & 1u;
    const float scale = d * static_cast<float>(2 * nibble_at(block + 106, i / 8) + 1);
    const unsigned signs = byte_at(block + 74, i / 2) >> (4 * (i % 2));
    four(kIq3S, kCodebookIq3S[byte_at(block + 2, i) | high << 8], scale, signs, out);
  }
}

void decode_iq1_s(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i, out += 8) {
    const unsigned bits = u16_at(block + 34 + 2 * (i / 4));
    const float scale = d * static_cast<float>(2 * ((bits >> 12) & 7u) + 1);
    const unsigned high = (bits >> (3 * (i % 4))) & 7u;
    eight_around(kCodebookIq1[byte_at(block + 2, i) | high << 8], scale,
                 (bits & 0x8000u) != 0 ? -kIq1Delta : kIq1Delta, out);
  }
}

void decode_iq1_m(const std::byte* block, float* out) {
  const std::byte* scales = block + 48;
  unsigned half = 0;  // a nibble of the scale tops each word of three-bit scales
  for (int i = 0; i < 4; ++i) half |= (u16_at(scales + 2 * i) >> 12) << (4 * i);
  const float d = f16_to_f32(static_cast<std::uint16_t>(half));
  for (int i = 0; i < 32; ++i, out += 8) {
    const unsigned three = (u16_at(scales + 2 * (i / 8)) >> (3 * (i / 2 % 4))) & 7u;
    const unsigned bits = nibble_at(block + 32, i);
    eight_around(kCodebookIq1[byte_at(block, i) | (bits & 7u) << 8],
                 d * static_cast<float>(2 * three + 1), (bits & 8u) != 0 ? -kIq1Delta : kIq1Delta,
                 out);
  }
}

}  // namespace polaris::block
