#include "backend/cpu/simd/quant.h"

namespace polaris::cpu {
namespace {

/// Signed bytes of four rows and four k (vector j, quarter `at` of the panel).
struct Q8 {
  static constexpr int kBytes = kQ8Bytes;
  static __m128i load(const std::uint8_t* p, int j, int at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 64 * j + 16 * at));
  }
};
struct Q4 {
  static constexpr int kBytes = kQ4Bytes;
  static __m128i load(const std::uint8_t* p, int j, int at) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 64 * (j & 3) + 16 * at));
    const __m128i nibble = j < 4 ? v : _mm_srli_epi16(v, 4);
    return _mm_sub_epi8(_mm_and_si128(nibble, _mm_set1_epi8(15)), _mm_set1_epi8(8));
  }
};

template <class Q>
void product(const QuantTile& t, int r) {
  float row[kPanel];
  start_row(t, 1, row);
  for (std::int64_t b = 0; b < t.blocks; ++b) {
    const std::int64_t block = r * t.blocks + b;
    const QuantBlock& x = t.x[block];
    std::int16_t whole[32];
    for (int k = 0; k < 32; ++k) whole[k] = static_cast<std::int16_t>(x.hi[k] * 128 + x.lo[k]);
    const V dx = vset(t.meta[block].d);
    for (int at = 0; at < 4; ++at) {
      __m128i low = _mm_setzero_si128();   // rows 0, 0, 1, 1
      __m128i high = _mm_setzero_si128();  // rows 2, 2, 3, 3
      for (int j = 0; j < 8; ++j) {
        const __m128i w = Q::load(t.quants + b * Q::kBytes, j, at);
        const __m128i four = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(whole + 4 * j));
        const __m128i twice = _mm_unpacklo_epi64(four, four);
        const __m128i w_low = _mm_srai_epi16(_mm_unpacklo_epi8(w, w), 8);
        const __m128i w_high = _mm_srai_epi16(_mm_unpackhi_epi8(w, w), 8);
        low = _mm_add_epi32(low, _mm_madd_epi16(w_low, twice));
        high = _mm_add_epi32(high, _mm_madd_epi16(w_high, twice));
      }
      const __m128 a = _mm_castsi128_ps(low);
      const __m128 c = _mm_castsi128_ps(high);
      const __m128i even = _mm_castps_si128(_mm_shuffle_ps(a, c, _MM_SHUFFLE(2, 0, 2, 0)));
      const __m128i odd = _mm_castps_si128(_mm_shuffle_ps(a, c, _MM_SHUFFLE(3, 1, 3, 1)));
      const V all = _mm_cvtepi32_ps(_mm_add_epi32(even, odd));
      const V dw = vload_f16(t.scales + b * kPanel + 4 * at);
      vstore(row + 4 * at, vfma(all, dw * dx, vload(row + 4 * at)));
    }
  }
  finish_row(t, r, row);
}

template <class Q>
void products(const QuantTile& t) {
  for (int r = 0; r < t.rows; ++r) product<Q>(t, r);
}

QuantKernels kernels(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return {products<Q4>, decode_panel<true>};
    case BlockFormat::kQ8_0: return {products<Q8>, decode_panel<false>};
  }
  return {};
}

}  // namespace

constinit const QuantSimd kQuantSse2{quantize, kernels, 1, 16};

}  // namespace polaris::cpu
