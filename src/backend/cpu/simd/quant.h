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
    V top = vset(0.0f);
    V odd = vset(0.0f);  // NaN where an element is infinite or NaN
    for (int j = 0; j < 32; j += kWidth) {
      const V v = vload(x + i + j);
      top = vmax(top, vabs(v));
      odd = odd + (v - v);
    }
    const float largest = vmax_of(top);
    const bool finite = vsum(odd) == 0.0f;
    if (!finite || largest < 1e-30f) {  // nothing to scale by
      std::memset(static_cast<void*>(blocks), 0, sizeof(*blocks));
      *meta = {finite ? 0.0f : __builtin_nanf(""), 0};
      continue;
    }
    meta->d = largest / kTop;
    const V inverse = vset(kTop / largest);
    std::int32_t whole[32];
    for (int j = 0; j < 32; j += kWidth) {
      const VI q = vround_int(vload(x + i + j) * inverse);
      std::memcpy(whole + j, &q, sizeof(q));
    }
    std::int32_t sum = 0;
    for (int j = 0; j < 32; ++j) {
      const std::int32_t hi = (whole[j] + 64) >> 7;
      blocks->hi[j] = static_cast<std::int8_t>(hi);
      blocks->lo[j] = static_cast<std::int8_t>(whole[j] - hi * 128);
      sum += whole[j];
    }
    meta->sum = sum;
  }
}

inline int word_of(const std::int8_t* p) {
  int out;
  std::memcpy(&out, p, 4);
  return out;
}

/// The starting values of one row: the bias or zero, padded to 16.
inline void start_row(const QuantTile& t, float* row) {
  for (int c = 0; c < kPanel; ++c) row[c] = t.bias != nullptr && c < t.columns ? t.bias[c] : 0.0f;
}
inline void finish_row(const QuantTile& t, int r, const float* row) {
  std::memcpy(t.y + r * t.ldy, row, static_cast<std::size_t>(t.columns) * 4);
}

}  // namespace
}  // namespace polaris::cpu
