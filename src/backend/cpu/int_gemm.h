#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/cpu/simd/simd.h"
#include "base/function_ref.h"
#include "tensor/dtype.h"

namespace polaris::cpu {

/// Zero points of an 8-bit operand: none, one, or one per row (left) or column (right).
struct ZeroPoints {
  const std::byte* data = nullptr;
  bool is_signed = false;
  bool per_index = false;
  std::int32_t at(std::int64_t i) const {
    if (data == nullptr) return 0;
    const std::int64_t j = per_index ? i : 0;
    return is_signed ? reinterpret_cast<const std::int8_t*>(data)[j]
                     : reinterpret_cast<const std::uint8_t*>(data)[j];
  }
};

/// An 8-bit matrix; strides in elements.
struct ByteMatrix {
  const std::byte* data = nullptr;
  bool is_signed = false;
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 0;
  std::int32_t at(std::int64_t r, std::int64_t c) const {
    const std::int64_t i = r * row_stride + c * column_stride;
    return is_signed ? reinterpret_cast<const std::int8_t*>(data)[i]
                     : reinterpret_cast<const std::uint8_t*>(data)[i];
  }
};

/// Elements of packed operands: rows as [block of simd.gemm_rows][k / 2][rows] pairs, columns as
/// panels [k / 2][16][2]; k is rounded up to even with zeros.
std::int64_t int_rows_elements(std::int64_t m, std::int64_t k);    // int32
std::int64_t int_panels_elements(std::int64_t n, std::int64_t k);  // int16
/// a is [m][k]; rows [from, to), from a multiple of simd.gemm_rows.
void pack_int_rows(const Simd& simd, const ByteMatrix& a, const ZeroPoints& zero, std::int64_t m,
                   std::int64_t k, std::int64_t from, std::int64_t to, std::int32_t* out);
/// b is [k][n]; panels [from, to).
void pack_int_panels(const ByteMatrix& b, const ZeroPoints& zero, std::int64_t k, std::int64_t n,
                     std::int64_t from, std::int64_t to, std::int16_t* out);

/// store(row, values of the columns of one panel).
using IntStore = FunctionRef<void(std::int64_t row, const std::int32_t* sums)>;
/// Rows [from, to) times one panel of `columns` columns.
void int_panel(const Simd& simd, const std::int32_t* rows, std::int64_t m, std::int64_t k,
               std::int64_t from, std::int64_t to, const std::int16_t* panel, std::int64_t columns,
               IntStore store);

}  // namespace polaris::cpu
