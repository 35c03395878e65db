#pragma once
#include <cstdint>

#include "backend/cpu/kernel.h"
#include "backend/cpu/quant_pack.h"
#include "backend/cpu/simd/simd.h"

namespace polaris::cpu {

/// y[m][n] = bias[n] + x[m][k] . w. Packed formats (quant_pack.h), for few rows: activations as
/// 15-bit integers per block of 32, exact integer dot products, one float32 multiply-add a scale,
/// in order of k. From quant.float_rows on, and at any number of rows where the format is not
/// packed: the weights decoded, a float32 product. A row of y depends on its row of x and on how
/// many rows were to choose the way only.
struct QuantCall {
  const float* x = nullptr;      // [m][k]
  const std::byte* w = nullptr;  // packed, or [n][k] as it is in the file
  PanelFormat format = BlockFormat::kQ8_0;
  float* y = nullptr;  // [m][n]
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  const float* bias = nullptr;
  std::byte* scratch = nullptr;  // quant_scratch_bytes
  std::int64_t usual_rows = 0;   // that choose the way, where m is not known beforehand; 0: m
};
std::int64_t quant_scratch_bytes(const QuantSimd& quant, PanelFormat format, std::int64_t m,
                                 std::int64_t k, std::int64_t usual_rows = 0);
void quant_gemm(const Simd& simd, const QuantSimd& quant, ThreadPool& pool, const QuantCall& call);

}  // namespace polaris::cpu
