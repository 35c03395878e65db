#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/cpu/simd/simd.h"
#include "base/function_ref.h"
#include "base/thread_pool.h"
#include "ir/constant.h"

namespace polaris::cpu {

/// Matrices packed for the register tiles: panels of kPanel columns, [panel][k][kPanel].
std::int64_t packed_panels(std::int64_t columns);
/// Elements of a packed k x columns matrix.
std::int64_t packed_elements(std::int64_t k, std::int64_t columns);

/// A matrix to be packed: where its element (k, n) is.
template <class T>
struct MatrixView {
  const T* data = nullptr;
  std::int64_t k_stride = 0;
  std::int64_t n_stride = 0;
};
/// Packs panels [from, to). T is float, or the bits of a float16.
template <class T>
void pack_panels(const MatrixView<T>& b, std::int64_t k, std::int64_t columns, std::int64_t from,
                 std::int64_t to, T* out);

/// Where b is encoded: writes the float32 panels [p, p + panels), of depth [k0, k0 + k) of each, as
/// [panel][k][kPanel].
using PanelDecoder = FunctionRef<void(std::int64_t p, std::int64_t panels, std::int64_t k0,
                                      std::int64_t k, float* out)>;

/// c[m][n] = bias[n] + a[m][k] . b, reduced over k in order: a row of c depends on its row of a
/// only, whatever m and its place are.
struct GemmCall {
  const float* a = nullptr;  // [m][k], rows lda apart
  std::int64_t lda = 0;
  const void* b = nullptr;  // packed
  bool b_is_f16 = false;
  float* c = nullptr;
  std::int64_t ldc = 0;
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  const float* bias = nullptr;
  const float* row_bias = nullptr;       // per row of c, instead of bias
  bool accumulate = false;               // c starts from what it holds, instead of a bias
  float* scratch = nullptr;              // m * k floats; unused (may be null) for m == 1
  const PanelDecoder* decode = nullptr;  // instead of b
};
/// Rows of a block: at most simd.gemm_rows, and no block much shorter than the others.
std::int64_t rows_of_block(const Simd& simd, std::int64_t m);
/// Rows of a packed as [block of rows][k][rows of the block], blocks of rows_of_block(m).
void pack_rows(const Simd& simd, const GemmCall& call, std::int64_t row_from, std::int64_t row_to,
               float* out);
/// The product of rows [m_from, m_to) and panels [p_from, p_to); `a` is packed.
void gemm_block(const Simd& simd, const GemmCall& call, const float* a_packed, std::int64_t m_from,
                std::int64_t m_to, std::int64_t p_from, std::int64_t p_to);
/// All of it, on the pool.
void gemm(const Simd& simd, ThreadPool& pool, const GemmCall& call);

/// Cuts rows x panels into tasks for the pool and calls body(m_from, m_to, p_from, p_to, worker).
using GemmTask = FunctionRef<void(std::int64_t, std::int64_t, std::int64_t, std::int64_t, int)>;
struct GemmGrid {
  std::int64_t rows = 0;
  std::int64_t row_unit = 1;
  std::int64_t rows_max = 0;  // of one task
  std::int64_t panels = 0;
  std::int64_t panel_unit = 1;
  std::int64_t depth = 0;  // k: little work is not worth waking threads for
};
void for_each_task(ThreadPool& pool, const GemmGrid& grid, GemmTask body);

}  // namespace polaris::cpu
