#pragma once
// Register tiles of float32 convolutions and pools; compiled once an instruction set.
#include "backend/cpu/simd/functions.h"
#include "backend/cpu/simd/gemm.h"

namespace polaris::cpu {
namespace {

template <int kRows, int kVectors>
inline void finish_sums(V (&acc)[kRows][kVectors], const SumFinish& finish, std::int64_t step,
                        std::int64_t columns) {
  // Bounds are constant, so that sums stay in registers.
  if (finish.add != nullptr) {
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t at = v * kWidth;
      const std::int64_t rest = columns - at;
      for (int r = 0; r < kRows; ++r) {
        if (rest <= 0) continue;
        const float* from = finish.add + r * step + at;
        acc[r][v] = acc[r][v] + (rest >= kWidth ? vload(from) : vload_n(from, rest));
      }
    }
  }
  if (!finish.clamps) return;
  const V low = vset(finish.low);
  const V high = vset(finish.high);
  for (int v = 0; v < kVectors; ++v) {
    for (int r = 0; r < kRows; ++r) acc[r][v] = vmin(high, vmax(low, acc[r][v]));
  }
}

template <int kRows, int kVectors>
inline void tap_tile(const TapTile& t) {
  V acc[kRows][kVectors];
  start_tile<kRows, kVectors>(acc, t.c, t.ldc, t.columns, t.bias, t.accumulate);
  const float* const* rows = t.rows;
  for (std::int64_t tap = 0; tap < t.taps; ++tap, rows += t.rows_step) {
    const float* x[kRows];
    for (int r = 0; r < kRows; ++r) x[r] = rows[r] + t.offset;
    const float* b = t.b + tap * t.tap_step;
    for (std::int64_t k = 0; k < t.depth; ++k, b += kPanel) {
      V bv[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        bv[v] = vload(b + (v / kPerPanel) * t.b_stride + (v % kPerPanel) * kWidth);
      }
      for (int r = 0; r < kRows; ++r) {
        const V av = vset(x[r][k]);
        for (int v = 0; v < kVectors; ++v) acc[r][v] = vfma(av, bv[v], acc[r][v]);
      }
    }
  }
  finish_sums<kRows, kVectors>(acc, t.finish, t.ldc, t.columns);
  finish_tile<kRows, kVectors>(acc, t.c, t.ldc, t.columns);
}

template <int kRows>
inline void tap_tile_of_rows(const TapTile& t, int panels) {
  if constexpr (kTilePanels > 1) {
    if (panels == 2) return tap_tile<kRows, 2 * kPerPanel>(t);
  }
  if constexpr (kPerPanel > 1) {
    if (t.columns <= kPanel / 2) return tap_tile<kRows, kPerPanel / 2>(t);
  }
  tap_tile<kRows, kPerPanel>(t);
}

template <int kRows>
void multiply_taps_by_rows(const TapTile& t, int rows, int panels) {
  if (rows == kRows) return tap_tile_of_rows<kRows>(t, panels);
  if constexpr (kRows > 1) multiply_taps_by_rows<kRows - 1>(t, rows, panels);
}

void multiply_taps(const TapTile& t, int rows, int panels) {
  multiply_taps_by_rows<kTileRows>(t, rows, panels);
}

constexpr int kDepthwisePositions = 4;

/// `kVectors` vectors of channels at kPositions positions; `lanes` of the last vector are there.
template <int kPositions, int kVectors>
inline void depthwise_vectors(const DepthwiseTile& t, std::int64_t c, std::int64_t lanes) {
  const bool whole = lanes == kWidth;
  V acc[kPositions][kVectors];
  for (int p = 0; p < kPositions; ++p) {
    const float* from = t.accumulate ? t.y + p * t.y_step : t.bias;
    for (int v = 0; v < kVectors; ++v) {
      acc[p][v] = vset(0.0f);
      if (from == nullptr) continue;
      const float* at = from + c + v * kWidth;
      acc[p][v] = whole ? vload(at) : vload_n(at, lanes);
    }
  }
  for (std::int64_t tap = 0; tap < t.taps; ++tap) {
    const float* x = t.x + t.x_offsets[tap] + c;
    const float* w = t.w + t.w_offsets[tap] + c;
    V wv[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      wv[v] = whole ? vload(w + v * kWidth) : vload_n(w + v * kWidth, lanes);
    }
    for (int p = 0; p < kPositions; ++p, x += t.x_step) {
      for (int v = 0; v < kVectors; ++v) {
        const V xv = whole ? vload(x + v * kWidth) : vload_n(x + v * kWidth, lanes);
        acc[p][v] = vfma(xv, wv[v], acc[p][v]);
      }
    }
  }
  SumFinish finish = t.finish;
  if (finish.add != nullptr) finish.add += c;
  finish_sums<kPositions, kVectors>(acc, finish, t.y_step, (kVectors - 1) * kWidth + lanes);
  for (int p = 0; p < kPositions; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      float* at = t.y + p * t.y_step + c + v * kWidth;
      whole ? vstore(at, acc[p][v]) : vstore_n(at, acc[p][v], lanes);
    }
  }
}

template <int kPositions>
inline void depthwise_positions(const DepthwiseTile& t) {
  std::int64_t c = 0;
  for (; c + 2 * kWidth <= t.channels; c += 2 * kWidth) {
    depthwise_vectors<kPositions, 2>(t, c, kWidth);
  }
  for (; c + kWidth <= t.channels; c += kWidth) depthwise_vectors<kPositions, 1>(t, c, kWidth);
  if (c < t.channels) depthwise_vectors<kPositions, 1>(t, c, t.channels - c);
}

void depthwise_tile(const DepthwiseTile& t, int positions) {
  if (positions == kDepthwisePositions) {
    depthwise_positions<kDepthwisePositions>(t);
  } else {
    depthwise_positions<1>(t);
  }
}

// --- windows over the last axis: row-major planes, channels-last positions

struct WindowSum {
  static V step(V acc, V x, V) { return acc + x; }
  static float step(float acc, float x, float) { return acc + x; }
};
struct WindowMax {
  static V step(V acc, V x, V) { return apply2<kOpMax>(acc, x); }
  static float step(float acc, float x, float) { return acc != acc || x <= acc ? acc : x; }
};
struct WindowProduct {
  static V step(V acc, V x, V w) { return vfma(x, w, acc); }
  static float step(float acc, float x, float w) { return acc + x * w; }
};

#if defined(__AVX512F__)
inline V even_lanes(V a, V b) {
  const VI at = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_ps(a, at, b);
}
#elif defined(__AVX2__)
inline V even_lanes(V a, V b) {
  const V mixed = _mm256_shuffle_ps(a, b, 0x88);
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(mixed), 0xD8));
}
#else
inline V even_lanes(V a, V b) { return _mm_shuffle_ps(a, b, 0x88); }
#endif

/// kVectors vectors of neighbouring outputs; `lanes` of the last are there.
template <class Op, int kStride, int kVectors>
inline void window_vectors(const WindowRow& w, std::int64_t o, std::int64_t lanes) {
  const bool whole = lanes == kWidth;
  V acc[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const float* from = w.y + o + v * kWidth;
    acc[v] = vset(w.start);
    if (w.accumulate) acc[v] = whole ? vload(from) : vload_n(from, lanes);
  }
  for (std::int64_t tap = 0; tap < w.taps; ++tap) {
    const float* x = w.x + w.offsets[tap] + o * kStride;
    const V factor = w.factors == nullptr ? vset(0.0f) : vset(w.factors[w.taps_at[tap]]);
    for (int v = 0; v < kVectors; ++v, x += kStride * kWidth) {
      V xv;
      if constexpr (kStride == 2) {
        xv = even_lanes(vload(x), vload(x + kWidth));
      } else {
        xv = whole ? vload(x) : vload_n(x, lanes);
      }
      acc[v] = Op::step(acc[v], xv, factor);
    }
  }
  const V divisor = vset(w.divisor);
  for (int v = 0; v < kVectors; ++v) {
    const V y = w.divisor == 1.0f ? acc[v] : acc[v] / divisor;
    float* to = w.y + o + v * kWidth;
    whole ? vstore(to, y) : vstore_n(to, y, lanes);
  }
}

/// One output at any stride: lanes of a vector are slow to write.
template <class Op>
inline void window_element(const WindowRow& w, std::int64_t o) {
  float acc = w.accumulate ? w.y[o] : w.start;
  for (std::int64_t tap = 0; tap < w.taps; ++tap) {
    const float factor = w.factors == nullptr ? 0.0f : w.factors[w.taps_at[tap]];
    acc = Op::step(acc, w.x[w.offsets[tap] + o * w.stride], factor);
  }
  w.y[o] = acc / w.divisor;
}

template <class Op>
void window_row(const WindowRow& w) {
  std::int64_t o = 0;
  if (w.n == 1) return window_element<Op>(w, 0);
  if (w.stride == 1) {
    for (; o + 4 * kWidth <= w.n; o += 4 * kWidth) window_vectors<Op, 1, 4>(w, o, kWidth);
    for (; o + kWidth <= w.n; o += kWidth) window_vectors<Op, 1, 1>(w, o, kWidth);
    if (o == w.n) return;
    if (o > 0 && !w.accumulate) return window_vectors<Op, 1, 1>(w, w.n - kWidth, kWidth);
    return window_vectors<Op, 1, 1>(w, o, w.n - o);
  }
  if (w.stride == 2) {
    // A vector reads one element behind its last, so it ends before the last output.
    for (; o + 2 * kWidth < w.n; o += 2 * kWidth) window_vectors<Op, 2, 2>(w, o, kWidth);
    for (; o + kWidth < w.n; o += kWidth) window_vectors<Op, 2, 1>(w, o, kWidth);
    if (o > 0 && o < w.n - 1 && !w.accumulate) {
      window_vectors<Op, 2, 1>(w, w.n - 1 - kWidth, kWidth);
      o = w.n - 1;
    }
  }
  for (; o < w.n; ++o) window_element<Op>(w, o);
}

}  // namespace
}  // namespace polaris::cpu
