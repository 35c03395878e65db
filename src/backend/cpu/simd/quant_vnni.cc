#include "backend/cpu/simd/quant.h"

namespace polaris::cpu {
namespace {

/// The 8 vectors of one block: byte 4 * row + i of vector j is weight k = 4 j + i plus 8 or 128,
/// times kScale: both formats then take 128 times the sum of the activations off.
struct Q8 {
  static constexpr int kBytes = kQ8Bytes;
  static constexpr float kScale = 1.0f;
  static void load(const std::uint8_t* p, __m512i (&w)[8]) {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    for (int j = 0; j < 8; ++j) w[j] = _mm512_xor_si512(_mm512_loadu_si512(p + 64 * j), flip);
  }
};
struct Q4 {
  static constexpr int kBytes = kQ4Bytes;
  static constexpr float kScale = 16.0f;
  static void load(const std::uint8_t* p, __m512i (&w)[8]) {
    const __m512i high = _mm512_set1_epi8(static_cast<char>(0xF0));
    for (int j = 0; j < 4; ++j) {
      const __m512i v = _mm512_loadu_si512(p + 64 * j);
      w[j] = _mm512_and_si512(_mm512_slli_epi16(v, 4), high);
      w[j + 4] = _mm512_and_si512(v, high);
    }
  }
};

/// Dot products of a block's digits with kPanels panels, 128 * hi + lo. The weights' offset comes
/// off of the high digit: 128 * 128 * sum / 128.
template <int kPanels, bool kTwoChains>
inline void dots(const __m512i (&w)[kPanels][8], const QuantBlock& x, const QuantMeta& meta,
                 __m512i (&out)[kPanels]) {
  __m512i hi[kPanels][2];
  __m512i lo[kPanels][2];
  for (int p = 0; p < kPanels; ++p) {
    hi[p][0] = _mm512_set1_epi32(meta.minus_sum);
    hi[p][1] = lo[p][0] = lo[p][1] = _mm512_setzero_si512();
  }
  for (int j = 0; j < 8; ++j) {
    const int chain = kTwoChains ? j & 1 : 0;
    const __m512i h = _mm512_set1_epi32(word_of(x.hi + 4 * j));
    const __m512i l = _mm512_set1_epi32(word_of(x.lo + 4 * j));
    for (int p = 0; p < kPanels; ++p) {
      hi[p][chain] = _mm512_dpbusd_epi32(hi[p][chain], w[p][j], h);
      lo[p][chain] = _mm512_dpbusd_epi32(lo[p][chain], w[p][j], l);
    }
  }
  for (int p = 0; p < kPanels; ++p) {
    if constexpr (kTwoChains) {
      hi[p][0] = _mm512_add_epi32(hi[p][0], hi[p][1]);
      lo[p][0] = _mm512_add_epi32(lo[p][0], lo[p][1]);
    }
    out[p] = _mm512_add_epi32(_mm512_slli_epi32(hi[p][0], 7), lo[p][0]);
  }
}

template <class Q, int kRows, int kPanels>
inline void product(const QuantTile& t) {
  V acc[kRows][kPanels];
  float row[kPanels * kPanel];
  start_row(t, kPanels, row);
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) acc[r][p] = vload(row + p * kPanel);
  }
  for (std::int64_t b = 0; b < t.blocks; ++b) {
    __m512i w[kPanels][8];
    V dw[kPanels];
    for (int p = 0; p < kPanels; ++p) {
      const std::int64_t panel = p * t.panel_bytes;
      Q::load(t.quants + panel + b * Q::kBytes, w[p]);
      dw[p] = vload_f16(t.scales + panel / 2 + b * kPanel) * vset(1.0f / Q::kScale);
    }
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t at = r * t.blocks + b;
      // Few rows leave the multiplier's latency uncovered: two chains a digit.
      __m512i all[kPanels];
      dots<kPanels, (kRows * kPanels < 4)>(w, t.x[at], t.meta[at], all);
      for (int p = 0; p < kPanels; ++p) {
        acc[r][p] = vfma(_mm512_cvtepi32_ps(all[p]), dw[p] * vset(t.meta[at].d), acc[r][p]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) vstore(row + p * kPanel, acc[r][p]);
    finish_row(t, r, row);
  }
}

template <class Q>
void products(const QuantTile& t) {
  if (t.panels == 2) {
    QuantTile part = t;
    for (int r = 0; r < t.rows;) {
      part.x = t.x + r * t.blocks;
      part.meta = t.meta + r * t.blocks;
      part.y = t.y + r * t.ldy;
      if (t.rows - r >= 4) {
        product<Q, 4, 2>(part);
        r += 4;
      } else {
        product<Q, 1, 2>(part);
        r += 1;
      }
    }
    return;
  }
  switch (t.rows) {
    case 1: return product<Q, 1, 1>(t);
    case 2: return product<Q, 2, 1>(t);
    case 3: return product<Q, 3, 1>(t);
    case 4: return product<Q, 4, 1>(t);
    case 5: return product<Q, 5, 1>(t);
    case 6: return product<Q, 6, 1>(t);
    case 7: return product<Q, 7, 1>(t);
    case 8: return product<Q, 8, 1>(t);
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

constinit const QuantSimd kQuantVnni{quantize, kernels, 2, 1 << 30};

}  // namespace polaris::cpu
