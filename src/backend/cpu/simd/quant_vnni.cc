#include "backend/cpu/simd/quant.h"

namespace polaris::cpu {
namespace {

/// Signed weights are multiplied as unsigned ones, 128 more.
template <class Codes>
constexpr int kZeroOf = Codes::kSigned ? 128 : Codes::kZero;

/// The eight vectors of one block, unsigned.
template <class Codes>
inline void load_unsigned(const std::uint8_t* p, __m512i (&w)[8]) {
  load_weights(Codes(), p, w);
  if constexpr (Codes::kSigned) {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    for (__m512i& v : w) v = _mm512_xor_si512(v, flip);
  }
}

/// Dot products of a block's digits with kPanels panels, 128 * hi + lo, over vectors [kFrom, kTo)
/// of the block; `start` is what the codes' zero takes off.
template <int kPanels, bool kTwoChains, int kFrom, int kTo>
inline void dots(const __m512i (&w)[kPanels][8], const QuantBlock& x, int start,
                 __m512i (&out)[kPanels]) {
  __m512i hi[kPanels][2];
  __m512i lo[kPanels][2];
  for (int p = 0; p < kPanels; ++p) {
    lo[p][0] = _mm512_set1_epi32(start);
    hi[p][0] = hi[p][1] = lo[p][1] = _mm512_setzero_si512();
  }
  for (int j = kFrom; j < kTo; ++j) {
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

template <class P, int kRows, int kPanels>
inline void product(const QuantTile& t) {
  using Codes = typename P::Codes;
  using Scales = typename P::Scales;
  constexpr int kPart = 8 / Scales::kHalves;
  V acc[kRows][kPanels];
  float row[kPanels * kPanel];
  start_row(t, kPanels, row);
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) acc[r][p] = vload(row + p * kPanel);
  }
  for (std::int64_t b = 0; b < t.blocks; ++b) {
    __m512i w[kPanels][8];
    for (int p = 0; p < kPanels; ++p) {
      load_unsigned<Codes>(t.codes + p * t.panel_bytes + b * P::kBytes, w[p]);
    }
    const auto add = [&]<int h>(Part<h>) __attribute__((always_inline)) {
      V dw[kPanels];
      V min[kPanels];
      for (int p = 0; p < kPanels; ++p) {
        dw[p] = Scales::scale(t.scales + p * t.panel_bytes, b, h, 0);
        if constexpr (Scales::kMins) min[p] = Scales::min(t.scales + p * t.panel_bytes, b, h, 0);
      }
      for (int r = 0; r < kRows; ++r) {
        const std::int64_t at = r * t.blocks + b;
        const V dx = vset(t.meta[at].d);
        const int minus = minus_sum<Scales>(t.meta[at], h);
        // Few rows leave the multiplier's latency uncovered: two chains a digit.
        __m512i all[kPanels];
        dots<kPanels, (kRows * kPanels < 4), h * kPart, (h + 1) * kPart>(
            w, t.x[at], kZeroOf<Codes> * minus, all);
        for (int p = 0; p < kPanels; ++p) {
          acc[r][p] = vfma(_mm512_cvtepi32_ps(all[p]), dw[p] * dx, acc[r][p]);
          if constexpr (Scales::kMins) {
            acc[r][p] = vfma(vset(static_cast<float>(minus)) * dx, min[p], acc[r][p]);
          }
        }
      }
    };
    add(Part<0>());
    if constexpr (Scales::kHalves == 2) add(Part<1>());
  }
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) vstore(row + p * kPanel, acc[r][p]);
    finish_row(t, r, row);
  }
}

template <class P, int kPanels>
void products_of(const QuantTile& t) {
  QuantTile part = t;
  for (int r = 0; r < t.rows;) {
    part.x = t.x + r * t.blocks;
    part.meta = t.meta + r * t.blocks;
    part.y = t.y + r * t.ldy;
    if (t.rows - r >= 4) {
      product<P, 4, kPanels>(part);
      r += 4;
    } else {
      product<P, 1, kPanels>(part);
      r += 1;
    }
  }
}

template <class P>
void products(const QuantTile& t) {
  if (t.panels == 2) {
    products_of<P, 2>(t);
  } else {
    products_of<P, 1>(t);
  }
}

}  // namespace

QuantKernels affine_vnni(AffinePanels panels) { return affine_kernels(panels); }

constinit const QuantSimd kQuantVnni{quantize, kernels, 2, 1 << 30};

}  // namespace polaris::cpu
