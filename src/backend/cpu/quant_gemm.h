#pragma once
#include <cstdint>

#include "backend/cpu/kernel.h"
#include "backend/cpu/simd/simd.h"
#include "ir/constant.h"

namespace polaris::cpu {

/// Block-encoded weights [n][k] packed for QuantSimd: panels of 16 rows, each its scales
/// [k / 32][16] f16 (padded to 64 bytes), then its quants [k / 32][8][16][4] bytes, as signed bytes
/// (q8_0) or nibbles (q4_0, vectors j and j + 4 sharing a byte).
std::int64_t quant_panel_bytes(BlockFormat format, std::int64_t k);
std::int64_t quant_packed_bytes(BlockFormat format, std::int64_t n, std::int64_t k);
void quant_pack(const Constant& weight, std::span<std::byte> out);

/// y[m][n] = bias[n] + x[m][k] . w. For few rows: activations as 15-bit integers per block of 32,
/// exact integer dot products, one float32 multiply-add a block, in order of k. From
/// quant.float_rows on: the weights decoded and a float32 product. A row of y depends on its row of
/// x and on m only.
struct QuantCall {
  const float* x = nullptr;  // [m][k]
  const std::byte* w = nullptr;
  BlockFormat format = BlockFormat::kQ8_0;
  float* y = nullptr;  // [m][n]
  std::int64_t m = 0;
  std::int64_t k = 0;
  std::int64_t n = 0;
  const float* bias = nullptr;
  std::byte* scratch = nullptr;  // quant_scratch_bytes
};
std::int64_t quant_scratch_bytes(const QuantSimd& quant, std::int64_t m, std::int64_t k);
void quant_gemm(const Simd& simd, const QuantSimd& quant, ThreadPool& pool, const QuantCall& call);

}  // namespace polaris::cpu
