#pragma once
// Codes and scales of packed block-encoded weights as vectors. Compiled once an instruction set.
#include "backend/cpu/simd/quant_layout.h"
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/simd/vec.h"
#include "tensor/block_values.h"

namespace polaris::cpu {
namespace {

/// A weight is scale * (code - kZero); kMax is the largest code.
template <int kBitsOf, int kZeroOf>
struct Small {
  static constexpr int kBits = kBitsOf, kZero = kZeroOf, kMax = (1 << kBitsOf) - 1;
  static constexpr bool kSigned = false;
};
/// scale * signed byte.
struct Bytes {
  static constexpr int kBits = 8, kZero = 0;
  static constexpr bool kSigned = true;
};
/// scale * what a nibble stands for.
template <const std::int8_t (&kValues)[16]>
struct Values {
  static constexpr int kBits = 4, kZero = 0;
  static constexpr bool kSigned = true;
};

template <int kBits>
inline VI shift(VI v) {
  if constexpr (kBits > 0) return vishl<kBits>(v);
  if constexpr (kBits < 0) return visar<-kBits>(v);
  return v;
}

/// Vector j of eight of a plane of kWide bits, moved up by kUp bits.
template <int kWide, int kUp, int j>
inline VI plane_vector(const VI* plane) {
  constexpr int kVectors = kWide;  // eight vectors of kWide bits in vectors of eight
  constexpr int kMask = ((1 << kWide) - 1) << kUp;
  const VI moved = shift<kUp - kWide*(j / kVectors)>(plane[j % kVectors]);
  return viand(moved, viset(kMask * 0x01010101));
}
template <int kVectors>
inline void load_plane(const std::uint8_t* p, VI* plane) {
  for (int i = 0; i < kVectors; ++i) plane[i] = viload(p + 64 * i);
}

template <int kBits, int j>
inline VI code_vector(const VI* low, const VI* high) {
  if constexpr (kBits == 2) return plane_vector<2, 0, j>(low);
  if constexpr (kBits == 3) return vior(plane_vector<2, 0, j>(low), plane_vector<1, 2, j>(high));
  if constexpr (kBits == 4) return plane_vector<4, 0, j>(low);
  if constexpr (kBits == 5) return vior(plane_vector<4, 0, j>(low), plane_vector<1, 4, j>(high));
  if constexpr (kBits == 6) return vior(plane_vector<4, 0, j>(low), plane_vector<2, 4, j>(high));
}

/// The eight vectors of a block's codes, of the kWidth rows that start `at` bytes into each.
template <int kBits>
inline void load_codes(const std::uint8_t* p, VI (&w)[8]) {
  if constexpr (kBits == 8) {
    load_plane<8>(p, w);
  } else {
    constexpr int kLow = kBits < 4 ? 2 : 4;
    VI low[kLow];
    VI high[2];
    load_plane<kLow>(p, low);
    if constexpr (kBits > kLow) load_plane<kBits - kLow>(p + 64 * kLow, high);
    w[0] = code_vector<kBits, 0>(low, high);
    w[1] = code_vector<kBits, 1>(low, high);
    w[2] = code_vector<kBits, 2>(low, high);
    w[3] = code_vector<kBits, 3>(low, high);
    w[4] = code_vector<kBits, 4>(low, high);
    w[5] = code_vector<kBits, 5>(low, high);
    w[6] = code_vector<kBits, 6>(low, high);
    w[7] = code_vector<kBits, 7>(low, high);
  }
}

/// table[byte] of each byte, all below 16.
inline VI look_up(const std::int8_t (&table)[16], VI bytes) {
#if defined(__AVX512F__)
  const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(all), bytes);
#elif defined(__AVX2__)
  const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(all), bytes);
#else
  std::uint8_t lanes[16];
  std::int8_t out[16];
  vistore(lanes, bytes);
  for (int i = 0; i < 16; ++i) out[i] = table[lanes[i]];
  return viload(out);
#endif
}

/// A format's codes: below 2^kBits and unsigned, or signed bytes where kSigned.
template <int kBits, int kZero>
inline void load_weights(Small<kBits, kZero>, const std::uint8_t* p, VI (&w)[8]) {
  load_codes<kBits>(p, w);
}
inline void load_weights(Bytes, const std::uint8_t* p, VI (&w)[8]) { load_codes<8>(p, w); }
template <const std::int8_t (&kValues)[16]>
inline void load_weights(Values<kValues>, const std::uint8_t* p, VI (&w)[8]) {
  load_codes<4>(p, w);
  for (VI& v : w) v = look_up(kValues, v);
}

inline V halves(const std::uint8_t* p) {
  return vload_f16(reinterpret_cast<const std::uint16_t*>(p));
}
inline V signed_bytes(const std::uint8_t* p) {
  return vconvert(vload_i8(reinterpret_cast<const std::int8_t*>(p)));
}
inline V unsigned_bytes(const std::uint8_t* p) { return vconvert(vload_u8(p)); }

/// Scales of half `h` of block `b` (the same for both where kHalves is 1) and of the kWidth rows
/// from `c` on; what is taken off besides, scale * code - min.
struct Half : ScaleHalf {
  static constexpr int kHalves = 1;
  static constexpr bool kMins = false;
  static V scale(const std::uint8_t* p, std::int64_t b, int, int c) {
    return halves(p + b * kBytes + 2 * c);
  }
};
struct HalfMin : ScaleHalfMin {
  static constexpr int kHalves = 1;
  static constexpr bool kMins = true;
  static V scale(const std::uint8_t* p, std::int64_t b, int, int c) {
    return halves(p + b * kBytes + 2 * c);
  }
  static V min(const std::uint8_t* p, std::int64_t b, int, int c) {
    return vneg(halves(p + b * kBytes + 32 + 2 * c));
  }
};
inline V floats(const std::uint8_t* p) { return vload(reinterpret_cast<const float*>(p)); }
struct FloatMin : ScaleFloatMin {
  static constexpr int kHalves = 1;
  static constexpr bool kMins = true;
  static V scale(const std::uint8_t* p, std::int64_t b, int, int c) {
    return floats(p + b * kBytes + 4 * c);
  }
  static V min(const std::uint8_t* p, std::int64_t b, int, int c) {
    return floats(p + b * kBytes + 64 + 4 * c);
  }
};
struct TwoFloatsMin : ScaleTwoFloatsMin {
  static constexpr int kHalves = 2;
  static constexpr bool kMins = true;
  static V scale(const std::uint8_t* p, std::int64_t b, int h, int c) {
    return floats(p + b * kBytes + 128 * h + 4 * c);
  }
  static V min(const std::uint8_t* p, std::int64_t b, int h, int c) {
    return floats(p + b * kBytes + 128 * h + 64 + 4 * c);
  }
};
struct TwoHalves : ScaleTwoHalves {
  static constexpr int kHalves = 2;
  static constexpr bool kMins = false;
  static V scale(const std::uint8_t* p, std::int64_t b, int h, int c) {
    return halves(p + b * kBytes + 32 * h + 2 * c);
  }
};
struct Power : ScalePower {
  static constexpr int kHalves = 1;
  static constexpr bool kMins = false;
  /// In two factors, for the lowest are subnormal.
  static V scale(const std::uint8_t* p, std::int64_t b, int, int c) {
    const VI e = vload_u8(p + b * kBytes + c);
    const VI half = visar<1>(e);
    const VI bias = viset(63);
    return vfloat_of(vishl<23>(viadd(half, bias))) *
           vfloat_of(vishl<23>(viadd(visub(e, half), bias)));
  }
};
struct Super : ScaleSuper {
  static constexpr int kHalves = 1;
  static constexpr bool kMins = false;
  static V scale(const std::uint8_t* p, std::int64_t b, int, int c) {
    return halves(p + b / 8 * kBytes + 2 * c);
  }
};
struct Super32 : ScaleSuper32 {
  static constexpr int kHalves = 1;
  static constexpr bool kMins = false;
  static V scale(const std::uint8_t* p, std::int64_t b, int, int c) {
    p += b / 8 * kBytes;
    return halves(p + 2 * c) * signed_bytes(p + 32 + b % 8 * 16 + c);
  }
};
struct Super16 : ScaleSuper16 {
  static constexpr int kHalves = 2;
  static constexpr bool kMins = false;
  static V scale(const std::uint8_t* p, std::int64_t b, int h, int c) {
    p += b / 8 * kBytes;
    return halves(p + 2 * c) * signed_bytes(p + 32 + (b % 8 * 2 + h) * 16 + c);
  }
};
struct Super32Min : ScaleSuper32Min {
  static constexpr int kHalves = 1;
  static constexpr bool kMins = true;
  static V scale(const std::uint8_t* p, std::int64_t b, int, int c) {
    p += b / 8 * kBytes;
    return halves(p + 2 * c) * unsigned_bytes(p + 64 + b % 8 * 16 + c);
  }
  static V min(const std::uint8_t* p, std::int64_t b, int, int c) {
    p += b / 8 * kBytes;
    return halves(p + 32 + 2 * c) * unsigned_bytes(p + 192 + b % 8 * 16 + c);
  }
};
struct Super16Min : ScaleSuper16Min {
  static constexpr int kHalves = 2;
  static constexpr bool kMins = true;
  static VI pair(const std::uint8_t* p, std::int64_t b, int h, int c) {
    return vload_u8(p + 64 + (b % 8 * 2 + h) * 16 + c);
  }
  static V scale(const std::uint8_t* p, std::int64_t b, int h, int c) {
    p += b / 8 * kBytes;
    return halves(p + 2 * c) * vconvert(viand(pair(p, b, h, c), viset(15)));
  }
  static V min(const std::uint8_t* p, std::int64_t b, int h, int c) {
    p += b / 8 * kBytes;
    return halves(p + 32 + 2 * c) * vconvert(visar<4>(pair(p, b, h, c)));
  }
};

}  // namespace
}  // namespace polaris::cpu
