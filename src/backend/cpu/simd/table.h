#pragma once
// The Simd table of the instruction set that this file is compiled for.
#include "backend/cpu/simd/conv.h"
#include "backend/cpu/simd/depthwise.h"
#include "backend/cpu/simd/functions.h"
#include "backend/cpu/simd/gemm.h"
#include "backend/cpu/simd/transpose.h"

namespace polaris::cpu {
namespace {

/// The vector function of an opcode, or null where elementwise.inc says that there is none.
template <int kCode>
constexpr Simd::UnaryFn unary_of() {
  if constexpr (kCpuCodes[kCode].vector) {
    return unary_loop<static_cast<Opcode>(kCode)>;
  } else {
    return nullptr;
  }
}
template <int kIndex>
constexpr Simd::BinaryFn binary_of() {
  constexpr auto kCode = static_cast<Opcode>(kUnaryCodes + kIndex);
  if constexpr (kCpuCodes[kCode].vector) {
    return binary_loop<kCode>;
  } else {
    return nullptr;
  }
}

template <int... U, int... B>
constexpr Simd make_table(Numbers<U...>, Numbers<B...>) {
  return Simd{
      .unary = {unary_of<U>()...},
      .binary = {binary_of<B>()...},
      .scale = scale_by,
      .clamp = clamp,
      .sum = sum,
      .max = max_of,
      .sum_squares = sum_squares,
      .square_sums = square_sums,
      .dots = dots,
      .weigh = weigh,
      .axpy = axpy,
      .exp_sum = exp_sum,
      .affine = affine,
      .rotate = rotate,
      .transpose = transpose_rows,
      .widen_f16 = widen_f16,
      .narrow_f16 = narrow_f16,
      .widen_bf16 = widen_bf16,
      .narrow_bf16 = narrow_bf16,
      .block_decoder = block_decoder,
      .widen_u8 = widen_bytes<std::uint8_t, vload_u8>,
      .widen_i8 = widen_bytes<std::int8_t, vload_i8>,
      .gemm_rows = kTileRows,
      .gemm_panels = kTilePanels,
      .gemv_panels = kGemvPanels,
      .gemm_f32 = gemm<float>,
      .gemm_f16 = gemm<std::uint16_t>,
      .multiply_taps = multiply_taps,
      .depthwise_positions = kDepthwisePositions,
      .depthwise = depthwise_tile,
      .depthwise_rows = depthwise_rows,
      .window_sum = window_row<WindowSum>,
      .window_max = window_row<WindowMax>,
      .window_product = window_row<WindowProduct>,
      .gemm_i16 = int_gemm,
  };
}
constexpr Simd make_table() {
  return make_table(NumbersTo<kUnaryCodes>::Type{}, NumbersTo<kBinaryCodes>::Type{});
}

}  // namespace
}  // namespace polaris::cpu
