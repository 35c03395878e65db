#pragma once
// Block-encoded products: what the instruction sets share. Compiled once an instruction set.
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/simd/vec.h"

namespace polaris::cpu {
namespace {

constexpr int kQ8Bytes = 512;  // quants of 16 rows, one block, as the weights are packed
constexpr int kQ4Bytes = 256;

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
      *meta = {finite ? 0.0f : __builtin_nanf(""), 0};
      continue;
    }
    meta->d = largest / kTop;
    const V inverse = vset(kTop / largest);
    VI sum = viset(0);
    for (int j = 0; j < kVectors; ++j) {
      const VI whole = vround_int(v[j] * inverse);
      const VI hi = visar<7>(viadd(whole, viset(64)));
      vistore_i8(blocks->hi + j * kWidth, hi);
      vistore_i8(blocks->lo + j * kWidth, visub(whole, vishl<7>(hi)));
      sum = viadd(sum, whole);
    }
    // Exact: at most 2^19.
    meta->minus_sum = -static_cast<std::int32_t>(vsum(vconvert(sum)));
  }
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

/// Byte 4 * row + i of a block's vector j is weight k = 4 j + i; of q4_0, the byte's high nibble is
/// that of vector j + 4.
template <bool kNibbles>
void decode_panel(const std::uint16_t* scales, const std::uint8_t* quants, std::int64_t blocks,
                  float* out) {
  const VI low = viset(15);
  const VI eight = viset(8);
  for (std::int64_t b = 0; b < blocks; ++b, out += 32 * kPanel) {
    for (int c = 0; c < kPanel; c += kWidth) {
      const V d = vload_f16(scales + b * kPanel + c);
      for (int j = 0; j < (kNibbles ? 4 : 8); ++j) {
        const VI four = viload(quants + (b * (kNibbles ? 4 : 8) + j) * 64 + 4 * c);
        float* to = out + 4 * j * kPanel + c;
        if constexpr (kNibbles) {
          float* high = to + 16 * kPanel;
          vstore(to, vconvert(visub(viand(four, low), eight)) * d);
          vstore(to + kPanel, vconvert(visub(viand(visar<8>(four), low), eight)) * d);
          vstore(to + 2 * kPanel, vconvert(visub(viand(visar<16>(four), low), eight)) * d);
          vstore(to + 3 * kPanel, vconvert(visub(viand(visar<24>(four), low), eight)) * d);
          vstore(high, vconvert(visub(viand(visar<4>(four), low), eight)) * d);
          vstore(high + kPanel, vconvert(visub(viand(visar<12>(four), low), eight)) * d);
          vstore(high + 2 * kPanel, vconvert(visub(viand(visar<20>(four), low), eight)) * d);
          vstore(high + 3 * kPanel, vconvert(visub(viand(visar<28>(four), low), eight)) * d);
        } else {
          vstore(to, vconvert(visar<24>(vishl<24>(four))) * d);
          vstore(to + kPanel, vconvert(visar<24>(vishl<16>(four))) * d);
          vstore(to + 2 * kPanel, vconvert(visar<24>(vishl<8>(four))) * d);
          vstore(to + 3 * kPanel, vconvert(visar<24>(four)) * d);
        }
      }
    }
  }
}

}  // namespace
}  // namespace polaris::cpu
