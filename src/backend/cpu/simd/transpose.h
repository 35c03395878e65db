#pragma once
// Transposition of float32 rows; compiled once an instruction set.
#include "backend/cpu/simd/vec.h"

namespace polaris::cpu {
namespace {

/// Lane j of v[i] becomes lane i of v[j].
inline void transpose(V (&v)[kWidth]) {
#if defined(__AVX512F__)
  V pairs[kWidth], quads[kWidth];
  for (int i = 0; i < kWidth; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
  }
  for (int i = 0; i < kWidth; i += 4) {
    for (int h = 0; h < 2; ++h) {
      const __m512d low = _mm512_castps_pd(pairs[i + h]);
      const __m512d high = _mm512_castps_pd(pairs[i + h + 2]);
      quads[i + 2 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      quads[i + 2 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
  // quads[4 q + j] holds column 4 l + j of rows 4 q ... 4 q + 3 in its lane l of 128 bits.
  for (int j = 0; j < 4; ++j) {
    const V even0 = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0x88);
    const V odd0 = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0xDD);
    const V even1 = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0x88);
    const V odd1 = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0xDD);
    v[j] = _mm512_shuffle_f32x4(even0, even1, 0x88);
    v[4 + j] = _mm512_shuffle_f32x4(odd0, odd1, 0x88);
    v[8 + j] = _mm512_shuffle_f32x4(even0, even1, 0xDD);
    v[12 + j] = _mm512_shuffle_f32x4(odd0, odd1, 0xDD);
  }
#elif defined(__AVX2__)
  V pairs[kWidth], quads[kWidth];
  for (int i = 0; i < kWidth; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
  }
  for (int i = 0; i < kWidth; i += 4) {
    for (int h = 0; h < 2; ++h) {
      quads[i + 2 * h] = _mm256_shuffle_ps(pairs[i + h], pairs[i + h + 2], 0x44);
      quads[i + 2 * h + 1] = _mm256_shuffle_ps(pairs[i + h], pairs[i + h + 2], 0xEE);
    }
  }
  for (int j = 0; j < 4; ++j) {
    v[j] = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x20);
    v[4 + j] = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x31);
  }
#else
  _MM_TRANSPOSE4_PS(v[0], v[1], v[2], v[3]);
#endif
}

void transpose_rows(const float* const* rows, std::int64_t count, std::int64_t n, float* out,
                    std::int64_t stride) {
  for (std::int64_t r = 0; r < count; r += kWidth) {
    const std::int64_t have = count - r < kWidth ? count - r : kWidth;
    const float* from[kWidth];
    for (std::int64_t j = 0; j < kWidth; ++j) from[j] = rows[r + (j < have ? j : 0)];
    for (std::int64_t i = 0; i < n; i += kWidth) {
      const std::int64_t columns = n - i < kWidth ? n - i : kWidth;
      V v[kWidth];
      float* to = out + i * stride + r;
      if (columns == kWidth) {
        for (int j = 0; j < kWidth; ++j) v[j] = vload(from[j] + i);
        transpose(v);
        if (have == kWidth) {
          for (int j = 0; j < kWidth; ++j) vstore(to + j * stride, v[j]);
        } else {
          for (int j = 0; j < kWidth; ++j) vstore_n(to + j * stride, v[j], have);
        }
        continue;
      }
      for (int j = 0; j < kWidth; ++j) v[j] = vload_n(from[j] + i, columns);
      transpose(v);
      for (std::int64_t j = 0; j < columns; ++j) vstore_n(to + j * stride, v[j], have);
    }
  }
}

}  // namespace
}  // namespace polaris::cpu
