#include "backend/cpu/simd/quant.h"

namespace polaris::cpu {
namespace {

/// The 8 vectors of one block: byte 4 * row + i of vector j is weight k = 4 j + i, unsigned.
struct Q8 {
  static constexpr int kBytes = kQ8Bytes;
  static constexpr int kOffset = 128;
  static void load(const std::uint8_t* p, __m512i (&w)[8]) {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
    for (int j = 0; j < 8; ++j) w[j] = _mm512_xor_si512(_mm512_loadu_si512(p + 64 * j), flip);
  }
};
struct Q4 {
  static constexpr int kBytes = kQ4Bytes;
  static constexpr int kOffset = 8;
  static void load(const std::uint8_t* p, __m512i (&w)[8]) {
    const __m512i low = _mm512_set1_epi8(15);
    for (int j = 0; j < 4; ++j) {
      const __m512i v = _mm512_loadu_si512(p + 64 * j);
      w[j] = _mm512_and_si512(v, low);
      w[j + 4] = _mm512_and_si512(_mm512_srli_epi16(v, 4), low);
    }
  }
};

template <class Q, int kRows>
inline void product(const QuantTile& t) {
  V acc[kRows];
  float row[kPanel];
  start_row(t, row);
  for (int r = 0; r < kRows; ++r) acc[r] = vload(row);
  for (std::int64_t b = 0; b < t.blocks; ++b) {
    __m512i w[8];
    Q::load(t.quants + b * Q::kBytes, w);
    const V dw = vload_f16(t.scales + b * kPanel);
    for (int r = 0; r < kRows; ++r) {
      const std::int64_t at = r * t.blocks + b;
      const QuantBlock& x = t.x[at];
      // Two chains a digit, so that the multiplier's latency is hidden at one row too.
      __m512i hi[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
      __m512i lo[2] = {_mm512_set1_epi32(-Q::kOffset * t.meta[at].sum), _mm512_setzero_si512()};
      for (int j = 0; j < 8; ++j) {
        hi[j & 1] = _mm512_dpbusd_epi32(hi[j & 1], w[j], _mm512_set1_epi32(word_of(x.hi + 4 * j)));
        lo[j & 1] = _mm512_dpbusd_epi32(lo[j & 1], w[j], _mm512_set1_epi32(word_of(x.lo + 4 * j)));
      }
      const __m512i all = _mm512_add_epi32(_mm512_slli_epi32(_mm512_add_epi32(hi[0], hi[1]), 7),
                                           _mm512_add_epi32(lo[0], lo[1]));
      acc[r] = vfma(_mm512_cvtepi32_ps(all), dw * vset(t.meta[at].d), acc[r]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    vstore(row, acc[r]);
    finish_row(t, r, row);
  }
}

template <class Q>
void products(const QuantTile& t) {
  switch (t.rows) {
    case 1: return product<Q, 1>(t);
    case 2: return product<Q, 2>(t);
    case 3: return product<Q, 3>(t);
    case 4: return product<Q, 4>(t);
    case 5: return product<Q, 5>(t);
    case 6: return product<Q, 6>(t);
    case 7: return product<Q, 7>(t);
    case 8: return product<Q, 8>(t);
  }
}

}  // namespace

constinit const QuantSimd kQuantVnni{quantize, products<Q8>, products<Q4>};

}  // namespace polaris::cpu
