#include "backend/cpu/simd/quant.h"

namespace polaris::cpu {
namespace {

/// Dot products of four rows with 15-bit activations, over vectors [from, to) of the block.
template <class Codes>
inline __m128i dot(const __m128i (&weights)[8], const std::int16_t* whole, int from, int to) {
  __m128i low = _mm_setzero_si128();   // rows 0, 0, 1, 1
  __m128i high = _mm_setzero_si128();  // rows 2, 2, 3, 3
  for (int j = from; j < to; ++j) {
    const __m128i w = _mm_sub_epi8(weights[j], _mm_set1_epi8(Codes::kZero));
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
  return _mm_add_epi32(even, odd);
}

template <class P>
void product(const QuantTile& t, int r) {
  using Codes = typename P::Codes;
  using Scales = typename P::Scales;
  constexpr int kPart = 8 / Scales::kHalves;
  float row[kPanel];
  start_row(t, 1, row);
  for (std::int64_t b = 0; b < t.blocks; ++b) {
    const std::int64_t block = r * t.blocks + b;
    const QuantBlock& x = t.x[block];
    std::int16_t whole[32];
    for (int k = 0; k < 32; ++k) whole[k] = static_cast<std::int16_t>(x.hi[k] * 128 + x.lo[k]);
    const V dx = vset(t.meta[block].d);
    for (int at = 0; at < kPanel; at += 4) {
      __m128i w[8];
      load_weights(Codes(), t.codes + b * P::kBytes + 4 * at, w);
      V sum = vload(row + at);
      for (int h = 0; h < Scales::kHalves; ++h) {
        const V all = _mm_cvtepi32_ps(dot<Codes>(w, whole, h * kPart, (h + 1) * kPart));
        sum = vfma(all, Scales::scale(t.scales, b, h, at) * dx, sum);
        if constexpr (Scales::kMins) {
          const V minus = vset(static_cast<float>(minus_sum<Scales>(t.meta[block], h)));
          sum = vfma(minus * dx, Scales::min(t.scales, b, h, at), sum);
        }
      }
      vstore(row + at, sum);
    }
  }
  finish_row(t, r, row);
}

template <class P>
void products(const QuantTile& t) {
  for (int r = 0; r < t.rows; ++r) product<P>(t, r);
}

}  // namespace

QuantKernels affine_sse2(AffinePanels panels) { return affine_kernels(panels); }

constinit const QuantSimd kQuantSse2{quantize, kernels, 1, 16};

}  // namespace polaris::cpu
