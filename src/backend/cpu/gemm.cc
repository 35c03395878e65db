#include "backend/cpu/gemm.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace polaris::cpu {
namespace {

// A panel pair of this depth stays in a first-level cache while the rows pass by.
constexpr std::int64_t kDepth = 256;
// Rows that share a second-level cache with the panels.
constexpr std::int64_t kRowsMax = 240;
// Panels whose part of c stays there too while k advances.
constexpr std::int64_t kPanelGroup = 16;
constexpr std::int64_t kPanelsMax = 2;  // of one tile at more than one row
constexpr std::int64_t kTasksPerThread = 6;
// Multiply-adds of the smallest task: a few microseconds.
constexpr std::int64_t kTaskWork = 65536;

}  // namespace

std::int64_t packed_panels(std::int64_t columns) { return ceil_div(columns, kPanel); }
std::int64_t packed_elements(std::int64_t k, std::int64_t columns) {
  return packed_panels(columns) * k * kPanel;
}

template <class T>
void pack_panels(const MatrixView<T>& b, std::int64_t k, std::int64_t columns, std::int64_t from,
                 std::int64_t to, T* out) {
  for (std::int64_t p = from; p < to; ++p) {
    T* panel = out + p * k * kPanel;
    const std::int64_t width = std::min<std::int64_t>(kPanel, columns - p * kPanel);
    const T* first = b.data + p * kPanel * b.n_stride;
    if (b.n_stride == 1 && width == kPanel) {
      for (std::int64_t i = 0; i < k; ++i) {
        std::memcpy(panel + i * kPanel, first + i * b.k_stride, sizeof(T) * kPanel);
      }
      continue;
    }
    if (width < kPanel) std::fill_n(panel, k * kPanel, T{0});
    // Blocks of k, so that the lines of `width` columns are all in the cache while they are read.
    for (std::int64_t i0 = 0; i0 < k; i0 += kPanel) {
      const std::int64_t i1 = std::min(k, i0 + kPanel);
      for (std::int64_t n = 0; n < width; ++n) {
        const T* column = first + n * b.n_stride;
        for (std::int64_t i = i0; i < i1; ++i) panel[i * kPanel + n] = column[i * b.k_stride];
      }
    }
  }
}

template void pack_panels<float>(const MatrixView<float>&, std::int64_t, std::int64_t, std::int64_t,
                                 std::int64_t, float*);
template void pack_panels<std::uint16_t>(const MatrixView<std::uint16_t>&, std::int64_t,
                                         std::int64_t, std::int64_t, std::int64_t, std::uint16_t*);

std::int64_t rows_of_block(const Simd& simd, std::int64_t m) {
  return ceil_div(m, ceil_div(m, simd.gemm_rows));
}

void pack_rows(const Simd& simd, const GemmCall& call, std::int64_t row_from, std::int64_t row_to,
               float* out) {
  const float* from[kGemmRowsMax];
  const std::int64_t unit = rows_of_block(simd, call.m);
  for (std::int64_t r = row_from; r < row_to; r += unit) {
    const std::int64_t rows = std::min(unit, call.m - r);
    for (std::int64_t j = 0; j < rows; ++j) from[j] = call.a + (r + j) * call.lda;
    simd.transpose(from, rows, call.k, out + r * call.k, rows);
  }
}

namespace {

/// Panels of b at depth [k0, k0 + tile.k), in place or decoded into `buffer`.
void open_panels(const GemmCall& call, std::int64_t p, std::int64_t panels, std::int64_t k0,
                 GemmTile& tile, float* buffer) {
  if (call.decode == nullptr) {
    const std::int64_t at = (p * call.k + k0) * kPanel;
    tile.b = static_cast<const std::byte*>(call.b) + at * (call.b_is_f16 ? 2 : 4);
    tile.b_stride = call.k * kPanel;
    return;
  }
  (*call.decode)(p, panels, k0, tile.k, buffer);
  tile.b = buffer;
  tile.b_stride = tile.k * kPanel;
}

}  // namespace

void gemm_block(const Simd& simd, const GemmCall& call, const float* a_packed, std::int64_t m_from,
                std::int64_t m_to, std::int64_t p_from, std::int64_t p_to) {
  const bool one_row = call.m == 1;
  if (call.row_bias != nullptr) {
    const std::int64_t first = p_from * kPanel;
    const std::int64_t columns = std::min(p_to * kPanel, call.n) - first;
    for (std::int64_t r = m_from; r < m_to; ++r) {
      std::fill_n(call.c + r * call.ldc + first, columns, call.row_bias[r]);
    }
  }
  const std::int64_t unit = rows_of_block(simd, call.m);
  // One row passes its panels by once: in place they are read from end to end.
  const bool straight = one_row && call.decode == nullptr;
  const std::int64_t depth = straight ? std::max<std::int64_t>(call.k, 1) : kDepth;
  const std::int64_t wide = straight ? simd.gemv_panels : simd.gemm_panels;
  GemmTile tile;
  tile.ldc = call.ldc;
  const auto run = call.b_is_f16 ? simd.gemm_f16 : simd.gemm_f32;
  alignas(64) float decoded[kPanelsMax * kDepth * kPanel];
  for (std::int64_t group = p_from; group < p_to; group += kPanelGroup) {
    const std::int64_t group_end = std::min(p_to, group + kPanelGroup);
    for (std::int64_t k0 = 0; k0 == 0 || k0 < call.k; k0 += depth) {
      tile.k = std::min(depth, call.k - k0);
      tile.accumulate = k0 > 0 || call.row_bias != nullptr || call.accumulate;
      for (std::int64_t p = group; p < group_end;) {
        const std::int64_t panels = group_end - p >= wide ? wide : 1;
        open_panels(call, p, panels, k0, tile, decoded);
        tile.columns = std::min(panels * kPanel, call.n - p * kPanel);
        tile.bias = call.bias == nullptr ? nullptr : call.bias + p * kPanel;
        for (std::int64_t r = m_from; r < m_to; r += unit) {
          const std::int64_t rows = std::min(unit, call.m - r);
          tile.a = a_packed + r * call.k + k0 * rows;
          tile.c = call.c + r * call.ldc + p * kPanel;
          run(tile, static_cast<int>(rows), static_cast<int>(panels));
        }
        p += panels;
      }
    }
  }
}

void for_each_task(ThreadPool& pool, const GemmGrid& grid, GemmTask body) {
  if (grid.rows <= 0 || grid.panels <= 0) return;
  const std::int64_t most = pool.threads() == 1 ? 1 : pool.threads() * kTasksPerThread;
  const std::int64_t work = grid.rows * grid.panels * kPanel * grid.depth;
  const std::int64_t wanted = std::clamp<std::int64_t>(work / kTaskWork, 1, most);
  std::int64_t rows = std::min(grid.rows, grid.rows_max);
  std::int64_t row_tasks = ceil_div(grid.rows, rows);
  const std::int64_t units = ceil_div(grid.panels, grid.panel_unit);
  if (row_tasks * units < wanted) {
    row_tasks = std::min(ceil_div(grid.rows, grid.row_unit), ceil_div(wanted, units));
  }
  rows = round_up(ceil_div(grid.rows, row_tasks), grid.row_unit);
  row_tasks = ceil_div(grid.rows, rows);
  const std::int64_t panel_tasks = std::clamp<std::int64_t>(ceil_div(wanted, row_tasks), 1, units);
  const std::int64_t panels = ceil_div(units, panel_tasks) * grid.panel_unit;
  const std::int64_t columns = ceil_div(grid.panels, panels);
  pool.parallel_for(row_tasks * columns, 1, [&](std::int64_t from, std::int64_t to, int worker) {
    for (std::int64_t t = from; t < to; ++t) {
      const std::int64_t m = t / columns * rows;
      const std::int64_t p = t % columns * panels;
      body(m, std::min(grid.rows, m + rows), p, std::min(grid.panels, p + panels), worker);
    }
  });
}

void gemm(const Simd& simd, ThreadPool& pool, const GemmCall& call) {
  if (call.m <= 0 || call.n <= 0) return;
  const float* a = call.a;
  const std::int64_t unit = rows_of_block(simd, call.m);
  if (call.m > 1) {
    const std::int64_t blocks = ceil_div(call.m, unit);
    pool.parallel_for(blocks, 2, [&](std::int64_t from, std::int64_t to, int) {
      pack_rows(simd, call, from * unit, std::min(call.m, to * unit), call.scratch);
    });
    a = call.scratch;
  }
  const GemmGrid grid{call.m,
                      unit,
                      kRowsMax,
                      packed_panels(call.n),
                      call.m == 1 && call.decode == nullptr ? simd.gemv_panels : simd.gemm_panels,
                      call.k};
  for_each_task(pool, grid,
                [&](std::int64_t m0, std::int64_t m1, std::int64_t p0, std::int64_t p1, int) {
                  gemm_block(simd, call, a, m0, m1, p0, p1);
                });
}

}  // namespace polaris::cpu
