#include "backend/cpu/int_gemm.h"

#include <algorithm>

#include "backend/cpu/gemm.h"
#include "base/checked.h"

namespace polaris::cpu {
namespace {

std::int64_t pairs_of(std::int64_t k) { return (k + 1) / 2; }

std::int32_t pair(std::int32_t low, std::int32_t high) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(low & 0xFFFF) |
                                   static_cast<std::uint32_t>(high) << 16);
}

}  // namespace

std::int64_t int_rows_elements(std::int64_t m, std::int64_t k) { return m * pairs_of(k); }
std::int64_t int_panels_elements(std::int64_t n, std::int64_t k) {
  return packed_panels(n) * pairs_of(k) * 2 * kPanel;
}

void pack_int_rows(const Simd& simd, const ByteMatrix& a, const ZeroPoints& zero, std::int64_t m,
                   std::int64_t k, std::int64_t from, std::int64_t to, std::int32_t* out) {
  const std::int64_t pairs = pairs_of(k);
  for (std::int64_t r = from; r < to; r += simd.gemm_rows) {
    const std::int64_t rows = std::min<std::int64_t>(simd.gemm_rows, m - r);
    std::int32_t* block = out + r * pairs;
    for (std::int64_t j = 0; j < rows; ++j) {
      const std::int32_t z = zero.at(r + j);
      for (std::int64_t p = 0; p < pairs; ++p) {
        const std::int32_t high = 2 * p + 1 < k ? a.at(r + j, 2 * p + 1) - z : 0;
        block[p * rows + j] = pair(a.at(r + j, 2 * p) - z, high);
      }
    }
  }
}

void pack_int_panels(const ByteMatrix& b, const ZeroPoints& zero, std::int64_t k, std::int64_t n,
                     std::int64_t from, std::int64_t to, std::int16_t* out) {
  const std::int64_t pairs = pairs_of(k);
  for (std::int64_t p = from; p < to; ++p) {
    std::int16_t* panel = out + p * pairs * 2 * kPanel;
    const std::int64_t width = std::min<std::int64_t>(kPanel, n - p * kPanel);
    std::fill_n(panel, pairs * 2 * kPanel, std::int16_t{0});
    for (std::int64_t i = 0; i < k; ++i) {
      std::int16_t* row = panel + i / 2 * 2 * kPanel + i % 2;
      for (std::int64_t c = 0; c < width; ++c) {
        const std::int64_t column = p * kPanel + c;
        row[2 * c] = static_cast<std::int16_t>(b.at(i, column) - zero.at(column));
      }
    }
  }
}

void int_panel(const Simd& simd, const std::int32_t* rows, std::int64_t m, std::int64_t k,
               std::int64_t from, std::int64_t to, const std::int16_t* panel, std::int64_t columns,
               IntStore store) {
  std::int32_t sums[kGemmRowsMax * kPanel];
  IntTile tile;
  tile.b = panel;
  tile.c = sums;
  tile.ldc = kPanel;
  tile.pairs = pairs_of(k);
  tile.columns = columns;
  for (std::int64_t r = from; r < to; r += simd.gemm_rows) {
    const std::int64_t count = std::min<std::int64_t>(simd.gemm_rows, m - r);
    tile.a = rows + r * tile.pairs;
    simd.gemm_i16(tile, static_cast<int>(count));
    for (std::int64_t j = 0; j < count; ++j) store(r + j, sums + j * kPanel);
  }
}

}  // namespace polaris::cpu
