#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tensor/block_values.h"
#include "tensor/half.h"

/// The bits of GGUF's blocks: what decodes them and what packs them for a device read them by
/// these.
namespace polaris::block {

inline constexpr int kSuper = 256;  // elements of the formats with scales of scales

inline unsigned byte_at(const std::byte* p, int i) { return std::to_integer<unsigned>(p[i]); }
inline std::uint16_t u16_at(const std::byte* p) {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline std::uint32_t u32_at(const std::byte* p) {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline float half_at(const std::byte* p) { return f16_to_f32(u16_at(p)); }

/// Where the parts of a block begin.
inline constexpr int kQ41Min = 2, kQ41Codes = 4;
inline constexpr int kQ50High = 2, kQ50Codes = 6;
inline constexpr int kQ51High = 4, kQ51Codes = 8;
inline constexpr int kQ2Codes = 16, kQ2Scale = 80, kQ2Min = 82;
inline constexpr int kQ3Codes = 32, kQ3Scales = 96, kQ3Scale = 108;
inline constexpr int kQ4KMin = 2, kQ4KScales = 4, kQ4KCodes = 16;
inline constexpr int kQ5KHigh = 16, kQ5KCodes = 48;
inline constexpr int kQ6High = 128, kQ6Scales = 192, kQ6Scale = 208;
inline constexpr int kXsHighs = 2, kXsScales = 4, kXsCodes = 8;

/// 2 * kHalf nibbles: the low ones of all bytes, then the high ones.
template <int kHalf>
inline void nibbles(const std::byte* p, std::uint8_t* out) {
  for (int i = 0; i < kHalf; ++i) {
    out[i] = static_cast<std::uint8_t>(byte_at(p, i) & 15u);
    out[i + kHalf] = static_cast<std::uint8_t>(byte_at(p, i) >> 4);
  }
}

/// q5_0 and q5_1: nibbles and a word of fifth bits.
inline void codes_q5(const std::byte* high, const std::byte* low, std::uint8_t* out) {
  nibbles<16>(low, out);
  const std::uint32_t bits = u32_at(high);
  for (int i = 0; i < 32; ++i) {
    out[i] = static_cast<std::uint8_t>(out[i] | ((bits >> i) & 1u) << 4);
  }
}

/// Two bits each of 64 bytes: of 32 bytes the lowest, the next ..., then of the other 32.
inline void pairs(const std::byte* p, std::uint8_t* out) {
  for (int half = 0; half < 2; ++half, p += 32) {
    for (int j = 0; j < 4; ++j, out += 32) {
      for (int i = 0; i < 32; ++i) {
        out[i] = static_cast<std::uint8_t>((byte_at(p, i) >> (2 * j)) & 3u);
      }
    }
  }
}
inline void codes_q2_k(const std::byte* block, std::uint8_t* out) { pairs(block + kQ2Codes, out); }
/// Of each 16 elements: the scale in the low nibble, the minimum in the high one, as they stand.
inline const std::byte* scales_q2_k(const std::byte* block) { return block; }

/// q of d * s * (q - 4).
inline void codes_q3_k(const std::byte* block, std::uint8_t* out) {
  pairs(block + kQ3Codes, out);
  for (int j = 0; j < 8; ++j, out += 32) {
    for (int i = 0; i < 32; ++i) {
      out[i] = static_cast<std::uint8_t>(out[i] | ((byte_at(block, i) >> j) & 1u) << 2);
    }
  }
}
inline std::array<std::int8_t, 16> scales_q3_k(const std::byte* block) {
  const std::byte* p = block + kQ3Scales;
  std::array<std::int8_t, 16> out{};
  for (int i = 0; i < 16; ++i) {
    const unsigned low = i < 8 ? byte_at(p, i) & 15u : byte_at(p, i - 8) >> 4;
    const unsigned high = (byte_at(p, 8 + i % 4) >> (2 * (i / 4))) & 3u;
    out[static_cast<std::size_t>(i)] =
        static_cast<std::int8_t>(static_cast<int>(low | high << 4) - 32);
  }
  return out;
}

inline void codes_q4_k(const std::byte* block, std::uint8_t* out) {
  for (int j = 0; j < 4; ++j) nibbles<32>(block + kQ4KCodes + 32 * j, out + 64 * j);
}
inline void codes_q5_k(const std::byte* block, std::uint8_t* out) {
  const std::byte* high = block + kQ5KHigh;
  for (int j = 0; j < 4; ++j) nibbles<32>(block + kQ5KCodes + 32 * j, out + 64 * j);
  for (int j = 0; j < 8; ++j, out += 32) {
    for (int i = 0; i < 32; ++i) {
      out[i] = static_cast<std::uint8_t>(out[i] | ((byte_at(high, i) >> j) & 1u) << 4);
    }
  }
}
/// Scales and minima of 6 bits, of each 32 elements of q4_k and q5_k.
struct SixBits {
  std::uint8_t scales[8];
  std::uint8_t mins[8];
};
inline SixBits scales_q4_k(const std::byte* block) {
  const std::byte* p = block + kQ4KScales;
  SixBits out;
  for (int i = 0; i < 4; ++i) {
    out.scales[i] = static_cast<std::uint8_t>(byte_at(p, i) & 63u);
    out.mins[i] = static_cast<std::uint8_t>(byte_at(p, i + 4) & 63u);
    out.scales[i + 4] =
        static_cast<std::uint8_t>((byte_at(p, i + 8) & 15u) | (byte_at(p, i) >> 6) << 4);
    out.mins[i + 4] =
        static_cast<std::uint8_t>((byte_at(p, i + 8) >> 4) | (byte_at(p, i + 4) >> 6) << 4);
  }
  return out;
}

/// q of d * s * (q - 32); the 16 scales are int8.
inline void codes_q6_k(const std::byte* block, std::uint8_t* out) {
  for (int half = 0; half < 2; ++half, out += 128) {
    const std::byte* high = block + kQ6High + 32 * half;
    nibbles<64>(block + 64 * half, out);
    for (int j = 0; j < 4; ++j) {
      for (int i = 0; i < 32; ++i) {
        std::uint8_t& q = out[32 * j + i];
        q = static_cast<std::uint8_t>(q | ((byte_at(high, i) >> (2 * j)) & 3u) << 4);
      }
    }
  }
}

inline void codes_iq4_xs(const std::byte* block, std::uint8_t* out) {
  for (int j = 0; j < 8; ++j) nibbles<16>(block + kXsCodes + 16 * j, out + 32 * j);
}
inline std::array<std::int8_t, 8> scales_iq4_xs(const std::byte* block) {
  const unsigned high = u16_at(block + kXsHighs);
  std::array<std::int8_t, 8> out{};
  for (int i = 0; i < 8; ++i) {
    const unsigned low = (byte_at(block + kXsScales, i / 2) >> (4 * (i % 2))) & 15u;
    out[static_cast<std::size_t>(i)] =
        static_cast<std::int8_t>(static_cast<int>(low | ((high >> (2 * i)) & 3u) << 4) - 32);
  }
  return out;
}

/// q of d * (q - 1): digits to the base of 3, five or four a byte, which is their number's fraction
/// of 243 in 256, rounded up.
inline void codes_tq1_0(const std::byte* block, std::uint8_t* out) {
  constexpr unsigned kPowers[5] = {1, 3, 9, 27, 81};
  constexpr int kRuns[3][3] = {{0, 32, 5}, {32, 16, 5}, {48, 4, 4}};  // first byte, bytes, digits
  for (const auto& [first, bytes, digits] : kRuns) {
    for (int j = 0; j < digits; ++j) {
      for (int i = 0; i < bytes; ++i) {
        const unsigned rest = (byte_at(block, first + i) * kPowers[j]) & 255u;
        *out++ = static_cast<std::uint8_t>((rest * 3) >> 8);
      }
    }
  }
}
inline void codes_tq2_0(const std::byte* block, std::uint8_t* out) { pairs(block, out); }

/// 2^(e - 128): half of what float8_e8m0fnu says, as kFp4Values are twice theirs.
inline float half_power(unsigned e) {
  return std::bit_cast<float>(e < 2 ? 0x00200000u << e : (e - 1) << 23);
}
/// Half of an unsigned float8_e4m3fn. Its sign bit is not looked at, but 0xff is no NaN either.
inline float half_e4m3(unsigned x) {
  if (x == 0 || x == 0x7F) return 0;
  const unsigned exponent = (x >> 3) & 15u;
  const auto mantissa = static_cast<float>(x & 7u);
  if (exponent == 0) return mantissa * 0x1p-10f;
  const float power = std::bit_cast<float>((exponent + 119u) << 23);  // 2^(exponent - 8)
  return (1.0f + mantissa / 8.0f) * power;
}

}  // namespace polaris::block
