#pragma once
// Block-encoded products: what the instruction sets share. Compiled once an instruction set.
#include "backend/cpu/simd/affine_panels.h"
#include "backend/cpu/simd/quant_codes.h"

namespace polaris::cpu {
namespace {

/// How a format's weights are packed: kernels are templates of this.
template <class CodesOf, class ScalesOf>
struct Packed {
  using Codes = CodesOf;
  using Scales = ScalesOf;
  static constexpr int kBytes = static_cast<int>(code_bytes(Codes::kBits));
};

/// Which half of a block, as a type.
template <int>
struct Part {};

/// x = d * (128 * hi + lo) with hi in [-127, 127], lo in [-64, 63]: about 15 bits, so that an
/// integer product is as close as a float32 one with block-quantized weights can be told apart.
inline void quantize(const float* x, std::int64_t n, QuantBlock* blocks, QuantMeta* meta) {
  constexpr float kTop = 127.0f * 128.0f;
  for (std::int64_t i = 0; i < n; i += 32, ++blocks, ++meta) {
    constexpr int kVectors = 32 / kWidth;
    V v[kVectors];
    V top = vset(0.0f);
    V odd = vset(0.0f);  // NaN where an element is infinite or NaN
    for (int j = 0; j < kVectors; ++j) {
      v[j] = vload(x + i + j * kWidth);
      top = vmax(top, vabs(v[j]));
      odd = odd + v[j] * vset(0.0f);
    }
    const float largest = vmax_of(top);
    const bool finite = !vany(vnan(odd));
    if (!finite || largest < 1e-30f) {  // nothing to scale by
      std::memset(static_cast<void*>(blocks), 0, sizeof(*blocks));
      *meta = {finite ? 0.0f : __builtin_nanf(""), {0, 0}};
      continue;
    }
    meta->d = largest / kTop;
    const V inverse = vset(kTop / largest);
    VI sums[2] = {viset(0), viset(0)};
    for (int j = 0; j < kVectors; ++j) {
      const VI whole = vround_int(v[j] * inverse);
      const VI hi = visar<7>(viadd(whole, viset(64)));
      vistore_i8(blocks->hi + j * kWidth, hi);
      vistore_i8(blocks->lo + j * kWidth, visub(whole, vishl<7>(hi)));
      VI& sum = sums[j / (kVectors / 2)];
      sum = viadd(sum, whole);
    }
    // Exact: at most 2^18.
    for (int h = 0; h < 2; ++h) {
      meta->minus_sum[h] = -static_cast<std::int32_t>(vsum(vconvert(sums[h])));
    }
  }
}

/// What a sum of codes times activations has too much where codes are not centred: of a half or,
/// where both have one scale, of the block.
template <class Scales>
inline int minus_sum(const QuantMeta& meta, int h) {
  return Scales::kHalves == 2 ? meta.minus_sum[h] : meta.minus_sum[0] + meta.minus_sum[1];
}

inline int word_of(const std::int8_t* p) {
  int out;
  std::memcpy(&out, p, 4);
  return out;
}

/// The starting values of one row: the bias or zero, padded to whole panels.
inline void start_row(const QuantTile& t, int panels, float* row) {
  for (int c = 0; c < panels * kPanel; ++c)
    row[c] = t.bias != nullptr && c < t.columns ? t.bias[c] : 0.0f;
}
inline void finish_row(const QuantTile& t, int r, const float* row) {
  std::memcpy(t.y + r * t.ldy, row, static_cast<std::size_t>(t.columns) * 4);
}

/// Byte i of each row's word: weight 4 j + i of vector j, as float32.
template <class Codes, int i>
inline V weight_of(VI words) {
  if constexpr (Codes::kSigned) return vconvert(visar<24>(shift<24 - 8 * i>(words)));
  return vconvert(visub(viand(shift<-8 * i>(words), viset(255)), viset(Codes::kZero)));
}

template <class P>
void decode_panel(const std::uint8_t* scales, const std::uint8_t* codes, std::int64_t first,
                  std::int64_t blocks, float* out) {
  using Codes = typename P::Codes;
  using Scales = typename P::Scales;
  for (std::int64_t b = first; b < first + blocks; ++b, out += 32 * kPanel) {
    for (int c = 0; c < kPanel; c += kWidth) {
      VI w[8];
      load_weights(Codes(), codes + b * P::kBytes + 4 * c, w);
      for (int j = 0; j < 8; ++j) {
        const int h = j / 4;
        const V d = Scales::scale(scales, b, h, c);
        V weights[4] = {weight_of<Codes, 0>(w[j]), weight_of<Codes, 1>(w[j]),
                        weight_of<Codes, 2>(w[j]), weight_of<Codes, 3>(w[j])};
        for (int i = 0; i < 4; ++i) {
          weights[i] = weights[i] * d;
          if constexpr (Scales::kMins) weights[i] = weights[i] - Scales::min(scales, b, h, c);
          vstore(out + (4 * j + i) * kPanel + c, weights[i]);
        }
      }
    }
  }
}

/// Of each instruction set: tile.rows activations times tile.panels panels.
template <class P>
void products(const QuantTile& tile);

template <class P>
QuantKernels kernels_of() {
  return {products<P>, decode_panel<P>};
}

/// Affine weights: codes less the middle of their range.
QuantKernels affine_kernels(AffinePanels panels) {
  switch (panels) {
    case AffinePanels::kNone: return {};
    case AffinePanels::kNibbles: return kernels_of<Packed<Small<4, 8>, FloatMin>>();
    case AffinePanels::kNibblesBy16: return kernels_of<Packed<Small<4, 8>, TwoFloatsMin>>();
    case AffinePanels::kBytes: return kernels_of<Packed<Bytes, FloatMin>>();
    case AffinePanels::kBytesBy16: return kernels_of<Packed<Bytes, TwoFloatsMin>>();
  }
  return {};
}

QuantKernels kernels(BlockFormat format) {
  switch (format) {
    case BlockFormat::kQ4_0: return kernels_of<Packed<Small<4, 8>, Half>>();
    case BlockFormat::kQ8_0: return kernels_of<Packed<Bytes, Half>>();
    case BlockFormat::kQ4_1: return kernels_of<Packed<Small<4, 0>, HalfMin>>();
    case BlockFormat::kQ5_0: return kernels_of<Packed<Small<5, 16>, Half>>();
    case BlockFormat::kQ5_1: return kernels_of<Packed<Small<5, 0>, HalfMin>>();
    case BlockFormat::kQ2_K: return kernels_of<Packed<Small<2, 0>, Super16Min>>();
    case BlockFormat::kQ3_K: return kernels_of<Packed<Small<3, 4>, Super16>>();
    case BlockFormat::kQ4_K: return kernels_of<Packed<Small<4, 0>, Super32Min>>();
    case BlockFormat::kQ5_K: return kernels_of<Packed<Small<5, 0>, Super32Min>>();
    case BlockFormat::kQ6_K: return kernels_of<Packed<Small<6, 32>, Super16>>();
    case BlockFormat::kIQ4_NL: return kernels_of<Packed<Values<block::kIq4Values>, Half>>();
    case BlockFormat::kIQ4_XS: return kernels_of<Packed<Values<block::kIq4Values>, Super32>>();
    case BlockFormat::kMXFP4: return kernels_of<Packed<Values<block::kFp4Values>, Power>>();
    case BlockFormat::kNVFP4: return kernels_of<Packed<Values<block::kFp4Values>, TwoHalves>>();
    case BlockFormat::kTQ1_0:
    case BlockFormat::kTQ2_0: return kernels_of<Packed<Small<2, 1>, Super>>();
    case BlockFormat::kIQ1_S:
    case BlockFormat::kIQ1_M:
    case BlockFormat::kIQ2_XXS:
    case BlockFormat::kIQ2_XS:
    case BlockFormat::kIQ2_S:
    case BlockFormat::kIQ3_XXS:
    case BlockFormat::kIQ3_S: return {};
  }
  return {};
}

}  // namespace
}  // namespace polaris::cpu
