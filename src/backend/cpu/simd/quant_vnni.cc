#include <algorithm>

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

/// Some blocks of a few panels as the products take them, decoded once for all rows of a tile: they
/// stay in the first cache.
template <class P, int kPanels>
struct Chunk {
  static constexpr int kBlocks = 8;
  static constexpr int kHalves = P::Scales::kHalves;

  Chunk(const QuantTile& t, std::int64_t first, int count) : blocks(count) {
    for (int b = 0; b < count; ++b) {
      for (int p = 0; p < kPanels; ++p) {
        const std::int64_t panel = p * t.panel_bytes;
        __m512i w[8];
        load_unsigned<typename P::Codes>(t.codes + panel + (first + b) * P::kBytes, w);
        for (int j = 0; j < 8; ++j) vistore(codes[b][p][j], w[j]);
        for (int h = 0; h < kHalves; ++h) {
          vstore(scales[b][h][p], P::Scales::scale(t.scales + panel, first + b, h, 0));
          if constexpr (P::Scales::kMins) {
            vstore(mins[b][h][p], P::Scales::min(t.scales + panel, first + b, h, 0));
          }
        }
      }
    }
  }

  int blocks;
  alignas(64) std::uint8_t codes[kBlocks][kPanels][8][64];
  alignas(64) float scales[kBlocks][kHalves][kPanels][kPanel];
  alignas(64) float mins[P::Scales::kMins ? kBlocks : 1][kHalves][kPanels][kPanel];
};

/// Adds a chunk's products with kRows rows to their sums. All rows' chains of dot products advance
/// together, which covers the multiplier's latency.
template <class P, int kRows, int kPanels>
inline void add_chunk(const Chunk<P, kPanels>& chunk, const QuantBlock* x, const QuantMeta* meta,
                      std::int64_t row_blocks, float (*sums)[kPanels][kPanel]) {
  using Scales = typename P::Scales;
  constexpr int kPart = 8 / Scales::kHalves;
  V acc[kRows][kPanels];
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) acc[r][p] = vload(sums[r][p]);
  }
  for (int b = 0; b < chunk.blocks; ++b) {
    const auto add = [&]<int h>(Part<h>) __attribute__((always_inline)) {
      int minus[kRows];
      __m512i hi[kRows][kPanels];
      __m512i lo[kRows][kPanels];
      for (int r = 0; r < kRows; ++r) {
        minus[r] = minus_sum<Scales>(meta[r * row_blocks + b], h);
        for (int p = 0; p < kPanels; ++p) {
          hi[r][p] = _mm512_setzero_si512();
          lo[r][p] = _mm512_set1_epi32(kZeroOf<typename P::Codes> * minus[r]);
        }
      }
      for (int j = h * kPart; j < (h + 1) * kPart; ++j) {
        __m512i w[kPanels];
        for (int p = 0; p < kPanels; ++p) w[p] = viload(chunk.codes[b][p][j]);
        for (int r = 0; r < kRows; ++r) {
          const QuantBlock& row = x[r * row_blocks + b];
          const __m512i high = _mm512_set1_epi32(word_of(row.hi + 4 * j));
          const __m512i low = _mm512_set1_epi32(word_of(row.lo + 4 * j));
          for (int p = 0; p < kPanels; ++p) {
            hi[r][p] = _mm512_dpbusd_epi32(hi[r][p], w[p], high);
            lo[r][p] = _mm512_dpbusd_epi32(lo[r][p], w[p], low);
          }
        }
      }
      for (int r = 0; r < kRows; ++r) {
        const V dx = vset(meta[r * row_blocks + b].d);
        for (int p = 0; p < kPanels; ++p) {
          const __m512i all = _mm512_add_epi32(_mm512_slli_epi32(hi[r][p], 7), lo[r][p]);
          acc[r][p] = vfma(_mm512_cvtepi32_ps(all), vload(chunk.scales[b][h][p]) * dx, acc[r][p]);
          if constexpr (Scales::kMins) {
            acc[r][p] = vfma(vset(static_cast<float>(minus[r])) * dx, vload(chunk.mins[b][h][p]),
                             acc[r][p]);
          }
        }
      }
    };
    add(Part<0>());
    if constexpr (Scales::kHalves == 2) add(Part<1>());
  }
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) vstore(sums[r][p], acc[r][p]);
  }
}

/// product() of many rows: the same sums in the same order.
template <class P, int kPanels>
void products_by_chunks(const QuantTile& t) {
  using Decoded = Chunk<P, kPanels>;
  alignas(64) float sums[kQuantRows][kPanels][kPanel];
  start_row(t, kPanels, sums[0][0]);
  for (int r = 1; r < t.rows; ++r) std::memcpy(sums[r], sums[0], sizeof(sums[0]));
  for (std::int64_t b = 0; b < t.blocks; b += Decoded::kBlocks) {
    const Decoded chunk(t, b,
                        static_cast<int>(std::min<std::int64_t>(Decoded::kBlocks, t.blocks - b)));
    int r = 0;
    for (; r + 4 <= t.rows; r += 4) {
      const std::int64_t at = r * t.blocks + b;
      add_chunk<P, 4>(chunk, t.x + at, t.meta + at, t.blocks, sums + r);
    }
    for (; r < t.rows; ++r) {
      const std::int64_t at = r * t.blocks + b;
      add_chunk<P, 1>(chunk, t.x + at, t.meta + at, t.blocks, sums + r);
    }
  }
  for (int r = 0; r < t.rows; ++r) finish_row(t, r, sums[r][0]);
}

template <class P, int kPanels>
void products_of(const QuantTile& t) {
  constexpr bool kChunks = kPanels == 2;  // one panel is left over at most: not worth their code
  if constexpr (kChunks) {
    if (t.rows >= 4) {
      products_by_chunks<P, kPanels>(t);
      return;
    }
  }
  QuantTile part = t;
  for (int r = 0; r < t.rows;) {
    part.x = t.x + r * t.blocks;
    part.meta = t.meta + r * t.blocks;
    part.y = t.y + r * t.ldy;
    if constexpr (!kChunks) {
      if (t.rows - r >= 4) {
        product<P, 4, kPanels>(part);
        r += 4;
        continue;
      }
    }
    product<P, 1, kPanels>(part);
    r += 1;
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
