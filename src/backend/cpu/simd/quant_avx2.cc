#include "backend/cpu/simd/quant.h"

namespace polaris::cpu {
namespace {

// Eight rows of the panel at a time: `half` picks them.
struct Q8 {
  static constexpr int kBytes = kQ8Bytes;
  static void load(const std::uint8_t* p, int half, __m256i (&w)[8]) {
    for (int j = 0; j < 8; ++j) {
      w[j] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 64 * j + 32 * half));
    }
  }
  /// Dot products of 8 rows with 32 digits. |w| <= 128 and |digit| <= 127, so a pair fits int16.
  static __m256i dot(const __m256i (&w)[8], const std::int8_t* digits) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sum = _mm256_setzero_si256();
    for (int j = 0; j < 8; ++j) {
      const __m256i x = _mm256_sign_epi8(_mm256_set1_epi32(word_of(digits + 4 * j)), w[j]);
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w[j]), x);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
    return sum;
  }
  static int correction(int) { return 0; }
};
struct Q4 {
  static constexpr int kBytes = kQ4Bytes;
  static void load(const std::uint8_t* p, int half, __m256i (&w)[8]) {
    const __m256i low = _mm256_set1_epi8(15);
    for (int j = 0; j < 4; ++j) {
      const __m256i v =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 64 * j + 32 * half));
      w[j] = _mm256_and_si256(v, low);
      w[j + 4] = _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
    }
  }
  /// 16 products of at most 15 * 127 fit int16.
  static __m256i dot(const __m256i (&w)[8], const std::int8_t* digits) {
    __m256i pairs = _mm256_setzero_si256();
    for (int j = 0; j < 8; ++j) {
      const __m256i x = _mm256_set1_epi32(word_of(digits + 4 * j));
      pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(w[j], x));
    }
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  }
  static int correction(int minus_sum) { return 8 * minus_sum; }
};

template <class Q, int kRows>
inline void product(const QuantTile& t) {
  V acc[kRows][2];
  float row[kPanel];
  start_row(t, 1, row);
  for (int r = 0; r < kRows; ++r) {
    acc[r][0] = vload(row);
    acc[r][1] = vload(row + 8);
  }
  for (std::int64_t b = 0; b < t.blocks; ++b) {
    for (int half = 0; half < 2; ++half) {
      __m256i w[8];
      Q::load(t.quants + b * Q::kBytes, half, w);
      const V dw = vload_f16(t.scales + b * kPanel + 8 * half);
      for (int r = 0; r < kRows; ++r) {
        const std::int64_t at = r * t.blocks + b;
        const __m256i hi = Q::dot(w, t.x[at].hi);
        const __m256i lo = Q::dot(w, t.x[at].lo);
        const __m256i all =
            _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(hi, 7), lo),
                             _mm256_set1_epi32(Q::correction(t.meta[at].minus_sum)));
        acc[r][half] = vfma(_mm256_cvtepi32_ps(all), dw * vset(t.meta[at].d), acc[r][half]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    vstore(row, acc[r][0]);
    vstore(row + 8, acc[r][1]);
    finish_row(t, r, row);
  }
}

template <class Q>
void products(const QuantTile& t) {
  QuantTile part = t;
  for (int r = 0; r < t.rows;) {
    part.x = t.x + r * t.blocks;
    part.meta = t.meta + r * t.blocks;
    part.y = t.y + r * t.ldy;
    if (t.rows - r >= 4) {
      product<Q, 4>(part);
      r += 4;
    } else {
      product<Q, 1>(part);
      r += 1;
    }
  }
}

QuantKernels kernels(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return {products<Q4>, decode_panel<true>};
    case BlockFormat::kQ8_0: return {products<Q8>, decode_panel<false>};
  }
  return {};
}

}  // namespace

constinit const QuantSimd kQuantAvx2{quantize, kernels, 1, 8};

}  // namespace polaris::cpu
