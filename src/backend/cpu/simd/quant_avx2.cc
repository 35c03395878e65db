#include "backend/cpu/simd/quant.h"

namespace polaris::cpu {
namespace {

/// Dot products of 8 rows with digits, over vectors [kFrom, kTo) of the block.
template <class Codes, int kFrom, int kTo>
inline __m256i dot(const __m256i (&w)[8], const std::int8_t* digits) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sum = _mm256_setzero_si256();
  if constexpr (Codes::kSigned) {
    // |w| <= 128 and |digit| <= 127, so a pair fits int16.
    for (int j = kFrom; j < kTo; ++j) {
      const __m256i x = _mm256_sign_epi8(_mm256_set1_epi32(word_of(digits + 4 * j)), w[j]);
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w[j]), x);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
  } else {
    // So many pairs of products of at most kMax * 127 fit int16.
    constexpr int kFit = 32767 / (2 * Codes::kMax * 127);
    constexpr int kStep = kFit >= 8 ? 8 : kFit >= 4 ? 4 : kFit >= 2 ? 2 : 1;
    for (int from = kFrom; from < kTo; from += kStep) {
      __m256i pairs = _mm256_setzero_si256();
      for (int j = from; j < from + kStep && j < kTo; ++j) {
        const __m256i x = _mm256_set1_epi32(word_of(digits + 4 * j));
        pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(w[j], x));
      }
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
  }
  return sum;
}

template <class P, int kRows>
inline void product(const QuantTile& t) {
  using Codes = typename P::Codes;
  using Scales = typename P::Scales;
  constexpr int kPart = 8 / Scales::kHalves;
  V acc[kRows][2];
  float row[kPanel];
  start_row(t, 1, row);
  for (int r = 0; r < kRows; ++r) {
    acc[r][0] = vload(row);
    acc[r][1] = vload(row + 8);
  }
  for (std::int64_t b = 0; b < t.blocks; ++b) {
    for (int half = 0; half < 2; ++half) {  // eight rows of the panel at a time
      __m256i w[8];
      load_weights(Codes(), t.codes + b * P::kBytes + 32 * half, w);
      const auto add = [&]<int h>(Part<h>) __attribute__((always_inline)) {
        const V dw = Scales::scale(t.scales, b, h, 8 * half);
        V min = dw;
        if constexpr (Scales::kMins) min = Scales::min(t.scales, b, h, 8 * half);
        for (int r = 0; r < kRows; ++r) {
          const std::int64_t at = r * t.blocks + b;
          const V dx = vset(t.meta[at].d);
          const int minus = minus_sum<Scales>(t.meta[at], h);
          const __m256i hi = dot<Codes, h * kPart, (h + 1) * kPart>(w, t.x[at].hi);
          const __m256i lo = dot<Codes, h * kPart, (h + 1) * kPart>(w, t.x[at].lo);
          const __m256i all = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(hi, 7), lo),
                                               _mm256_set1_epi32(Codes::kZero * minus));
          acc[r][half] = vfma(_mm256_cvtepi32_ps(all), dw * dx, acc[r][half]);
          if constexpr (Scales::kMins) {
            acc[r][half] = vfma(vset(static_cast<float>(minus)) * dx, min, acc[r][half]);
          }
        }
      };
      add(Part<0>());
      if constexpr (Scales::kHalves == 2) add(Part<1>());
    }
  }
  for (int r = 0; r < kRows; ++r) {
    vstore(row, acc[r][0]);
    vstore(row + 8, acc[r][1]);
    finish_row(t, r, row);
  }
}

template <class P>
void products(const QuantTile& t) {
  QuantTile part = t;
  for (int r = 0; r < t.rows;) {
    part.x = t.x + r * t.blocks;
    part.meta = t.meta + r * t.blocks;
    part.y = t.y + r * t.ldy;
    if (t.rows - r >= 4) {
      product<P, 4>(part);
      r += 4;
    } else if (t.rows - r >= 2) {
      product<P, 2>(part);
      r += 2;
    } else {
      product<P, 1>(part);
      r += 1;
    }
  }
}

}  // namespace

QuantKernels affine_avx2(AffinePanels panels) { return affine_kernels(panels); }

constinit const QuantSimd kQuantAvx2{quantize, kernels, 1, 16};

}  // namespace polaris::cpu
