#pragma once
// Register tiles of the float32 matrix product; compiled once an instruction set.
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/simd/vec.h"

namespace polaris::cpu {
namespace {

constexpr int kPerPanel = kPanel / kWidth;  // vectors of one panel
#if defined(__AVX512F__)
constexpr int kTileRows = 12;
constexpr int kTilePanels = 2;
constexpr int kGemvPanels = 4;
#elif defined(__AVX2__)
constexpr int kTileRows = 6;
constexpr int kTilePanels = 1;
constexpr int kGemvPanels = 4;
#else
constexpr int kTileRows = 3;
constexpr int kTilePanels = 1;
constexpr int kGemvPanels = 2;
#endif

inline V load_b(const float* p) { return vload(p); }
inline V load_b(const std::uint16_t* p) { return vload_f16(p); }

/// What a tile starts from: c where it accumulates, else the bias, else 0.
template <int kRows, int kVectors>
inline void start_tile(V (&acc)[kRows][kVectors], const float* c, std::int64_t ldc,
                       std::int64_t columns, const float* bias, bool accumulate) {
  for (int v = 0; v < kVectors; ++v) {
    const std::int64_t at = v * kWidth;
    const std::int64_t rest = columns - at;
    for (int r = 0; r < kRows; ++r) {
      acc[r][v] = vset(0.0f);
      const float* from = accumulate ? c + r * ldc : bias;
      if (from == nullptr || rest <= 0) continue;
      acc[r][v] = rest >= kWidth ? vload(from + at) : vload_n(from + at, rest);
    }
  }
}

template <int kRows, int kVectors>
inline void finish_tile(const V (&acc)[kRows][kVectors], float* c, std::int64_t ldc,
                        std::int64_t columns) {
  float edge[kVectors * kWidth];
  for (int r = 0; r < kRows; ++r, c += ldc) {
    if (columns == kVectors * kWidth) {
      for (int v = 0; v < kVectors; ++v) vstore(c + v * kWidth, acc[r][v]);
    } else {
      for (int v = 0; v < kVectors; ++v) vstore(edge + v * kWidth, acc[r][v]);
      std::memcpy(c, edge, static_cast<std::size_t>(columns) * 4);
    }
  }
}

template <int kRows, int kPanels, class B>
inline void tile(const GemmTile& t) {
  constexpr int kVectors = kPanels * kPerPanel;
  V acc[kRows][kVectors];
  start_tile<kRows, kVectors>(acc, t.c, t.ldc, t.columns, t.bias, t.accumulate);
  const float* a = t.a;
  const B* b = static_cast<const B*>(t.b);
  for (std::int64_t k = 0; k < t.k; ++k) {
    V bv[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      bv[v] = load_b(b + (v / kPerPanel) * t.b_stride + (v % kPerPanel) * kWidth);
    }
    for (int r = 0; r < kRows; ++r) {
      const V av = vset(a[r]);
      for (int v = 0; v < kVectors; ++v) acc[r][v] = vfma(av, bv[v], acc[r][v]);
    }
    a += kRows;
    b += t.b_step;
  }
  finish_tile<kRows, kVectors>(acc, t.c, t.ldc, t.columns);
}

template <int kRows, class B>
inline void tile_of_rows(const GemmTile& t, int panels) {
  if constexpr (kTilePanels > 1) {
    if (panels == 2) return tile<kRows, 2, B>(t);
  }
  if constexpr (kRows == 1) {
    if (panels == kGemvPanels) return tile<1, kGemvPanels, B>(t);
  }
  tile<kRows, 1, B>(t);
}

template <class B>
void gemm(const GemmTile& t, int rows, int panels) {
  switch (rows) {
    case 1: return tile_of_rows<1, B>(t, panels);
    case 2: return tile_of_rows<2, B>(t, panels);
    case 3: return tile_of_rows<3, B>(t, panels);
  }
  if constexpr (kTileRows > 3) {
    switch (rows) {
      case 4: return tile_of_rows<4, B>(t, panels);
      case 5: return tile_of_rows<5, B>(t, panels);
      case 6: return tile_of_rows<6, B>(t, panels);
    }
  }
  if constexpr (kTileRows > 6) {
    switch (rows) {
      case 7: return tile_of_rows<7, B>(t, panels);
      case 8: return tile_of_rows<8, B>(t, panels);
      case 9: return tile_of_rows<9, B>(t, panels);
      case 10: return tile_of_rows<10, B>(t, panels);
      case 11: return tile_of_rows<11, B>(t, panels);
      case 12: return tile_of_rows<12, B>(t, panels);
    }
  }
}

template <int kRows>
inline void int_tile(const IntTile& t) {
  VI acc[kRows][kPerPanel];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kPerPanel; ++v) acc[r][v] = viset(0);
  }
  const std::int32_t* a = t.a;
  const std::int16_t* b = t.b;
  for (std::int64_t k = 0; k < t.pairs; ++k) {
    VI bv[kPerPanel];
    for (int v = 0; v < kPerPanel; ++v) bv[v] = viload(b + 2 * v * kWidth);
    for (int r = 0; r < kRows; ++r) {
      const VI av = viset(a[r]);
      for (int v = 0; v < kPerPanel; ++v) acc[r][v] = viadd(acc[r][v], vimadd(av, bv[v]));
    }
    a += kRows;
    b += 2 * kPanel;
  }
  std::int32_t row[kPanel];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kPerPanel; ++v) vistore(row + v * kWidth, acc[r][v]);
    std::memcpy(t.c + r * t.ldc, row, static_cast<std::size_t>(t.columns) * 4);
  }
}

void int_gemm(const IntTile& t, int rows) {
  switch (rows) {
    case 1: return int_tile<1>(t);
    case 2: return int_tile<2>(t);
    case 3: return int_tile<3>(t);
  }
  if constexpr (kTileRows > 3) {
    switch (rows) {
      case 4: return int_tile<4>(t);
      case 5: return int_tile<5>(t);
      case 6: return int_tile<6>(t);
    }
  }
  if constexpr (kTileRows > 6) {
    switch (rows) {
      case 7: return int_tile<7>(t);
      case 8: return int_tile<8>(t);
      case 9: return int_tile<9>(t);
      case 10: return int_tile<10>(t);
      case 11: return int_tile<11>(t);
      case 12: return int_tile<12>(t);
    }
  }
}

}  // namespace
}  // namespace polaris::cpu
