#pragma once
#include <cstdint>

#include "backend/opcode.h"
#include "tensor/encoding.h"

namespace polaris::cpu {

/// One block of 32 activations as two int8 digits of a 15-bit number: x = d * (128 * hi + lo).
struct QuantBlock {
  std::int8_t hi[32];
  std::int8_t lo[32];
};
struct QuantMeta {
  float d;
  std::int32_t minus_sum[2];  // of 128 * hi + lo over each half of the block, negated
};

/// Where a matrix product finds its operands: c[m][n] (rows ldc apart) from packed a and b.
/// Reduction runs over k in order, one fused or separate multiply-add each, whatever m, n and the
/// blocking: a row's result never depends on its neighbours.
struct GemmTile {
  const void* b = nullptr;    // panels [ceil(n / 16)][k][16]
  std::int64_t b_stride = 0;  // elements from panel to panel
  std::int64_t b_step = 16;   // elements from k to k + 1 within a panel
  const float* a = nullptr;   // [k][rows]
  float* c = nullptr;
  std::int64_t ldc = 0;
  std::int64_t k = 0;
  std::int64_t columns = 0;     // valid columns, at most 16 * panels
  const float* bias = nullptr;  // per column: the starting value; null: zero
  bool accumulate = false;      // start from c instead
};

/// What is done to sums before they are stored.
struct SumFinish {
  const float* add = nullptr;  // elements that stand as the result's, to be added
  bool clamps = false;         // then between low and high; a NaN stays
  float low = 0;
  float high = 0;
};

/// A convolution as sums over taps: c[r][n] = bias[n] + sum over t and k of
/// rows[t * rows_step + r][offset + k] * b[t * tap_step + k * 16 + n], in order of t, then k.
struct TapTile {
  const float* const* rows = nullptr;
  std::int64_t rows_step = 0;
  std::int64_t offset = 0;
  std::int64_t taps = 0;
  std::int64_t depth = 0;  // of one tap
  const float* b = nullptr;
  std::int64_t b_stride = 0;  // elements from panel to panel
  std::int64_t tap_step = 0;
  float* c = nullptr;
  std::int64_t ldc = 0;
  std::int64_t columns = 0;  // valid columns, at most 16 * panels
  const float* bias = nullptr;
  bool accumulate = false;  // start from c instead
  SumFinish finish;
};

/// One input and one output channel a group, channels-last: position p < positions has
/// y[p * y_step + c] = bias[c] + sum over t of
/// x[x_offsets[t] + p * x_step + c] * w[w_offsets[t] + c].
struct DepthwiseTile {
  const float* x = nullptr;
  const std::int64_t* x_offsets = nullptr;
  std::int64_t x_step = 0;
  const float* w = nullptr;
  const std::int64_t* w_offsets = nullptr;
  std::int64_t taps = 0;
  std::int64_t channels = 0;
  const float* bias = nullptr;
  float* y = nullptr;
  std::int64_t y_step = 0;
  bool accumulate = false;  // start from y instead
  SumFinish finish;
};

/// The same at `positions` neighbouring positions of `outputs` output rows, a kernel row being
/// `kernel` taps side by side: y[o * y_row_step + p * y_step + c] = bias[c] + sum over r < rows and
/// k < kernel of x[r + o][(p * stride + k) * x_step + c] * w[(r * kernel + k) * w_step + c]. A row
/// that is null adds nothing. What finish.add points to stands as y.
struct DepthwiseRows {
  const float* const* x = nullptr;  // rows + outputs - 1 of them
  std::int64_t rows = 0;
  int kernel = 3;   // or 5
  int stride = 1;   // or 2
  int outputs = 1;  // or 2, where `stride` is 1
  std::int64_t x_step = 0;
  const float* w = nullptr;
  std::int64_t w_step = 0;
  std::int64_t channels = 0;
  std::int64_t positions = 0;
  const float* bias = nullptr;
  float* y = nullptr;
  std::int64_t y_step = 0;
  std::int64_t y_row_step = 0;
  SumFinish finish;
};

/// y[o] for o < n over the elements x[offsets[t] + o * stride]: their sum, their largest or the sum
/// of their products with factors[taps_at[t]]; from `start`, or y where `accumulate`, in order of
/// t, and divided by `divisor`.
struct WindowRow {
  const float* x = nullptr;
  const std::int64_t* offsets = nullptr;
  const float* factors = nullptr;  // of products only
  const std::int64_t* taps_at = nullptr;
  std::int64_t taps = 0;
  std::int64_t stride = 1;
  std::int64_t n = 0;
  float* y = nullptr;
  float start = 0;
  bool accumulate = false;
  float divisor = 1;
};

/// c[m][n] += sum over k of a * b in wrapping int32; a and b are int16 pairs along k, which hold an
/// int8 or uint8 less its zero point, so that a pair of products fits int32.
struct IntTile {
  const std::int16_t* b = nullptr;  // panels [ceil(n / 16)][k / 2][16][2]
  std::int64_t b_stride = 0;        // elements from panel to panel
  const std::int32_t* a = nullptr;  // [k / 2][rows], each a pair
  std::int32_t* c = nullptr;
  std::int64_t ldc = 0;
  std::int64_t pairs = 0;
  std::int64_t columns = 0;
};

/// One block-encoded product: 16 * panels packed weight rows against `rows` quantized activations.
struct QuantTile {
  const std::uint8_t* scales = nullptr;  // of a panel and its codes, as quant_layout.h has them
  const std::uint8_t* codes = nullptr;
  std::int64_t panel_bytes = 0;     // from panel to panel of both
  int panels = 1;                   // at most QuantSimd::panels
  const QuantBlock* x = nullptr;    // [rows][blocks]
  const QuantMeta* meta = nullptr;  // [rows][blocks]
  std::int64_t blocks = 0;
  int rows = 0;
  float* y = nullptr;
  std::int64_t ldy = 0;
  const float* bias = nullptr;  // `columns` values, or null
  int columns = 0;              // valid rows of the weight, at most 16 * panels
};

inline constexpr int kPanel = 16;      // columns of a packed panel
inline constexpr int kQuantRows = 64;  // most activations of one QuantTile
inline constexpr int kGemmRowsMax = 12;

/// Vector functions of one instruction set. n >= 0; outputs may be their inputs (exactly).
struct Simd {
  using UnaryFn = void (*)(const float* x, float* y, std::int64_t n, float p, float q);
  /// A step is 1, or 0 for an operand that is one element.
  using BinaryFn = void (*)(const float* a, int a_step, const float* b, int b_step, float* y,
                            std::int64_t n);
  /// By opcode, null where there is none; p and q are the op's numbers (OpDef.numbers).
  UnaryFn unary[kUnaryCodes];
  BinaryFn binary[kBinaryCodes];  // by opcode - kUnaryCodes
  void (*scale)(const float* x, float* y, std::int64_t n, float factor);
  void (*clamp)(const float* x, float* y, std::int64_t n, float low, float high);

  float (*sum)(const float* x, std::int64_t n);
  float (*max)(const float* x, std::int64_t n);  // n > 0; NaN where there is one
  float (*sum_squares)(const float* x, float mean, std::int64_t n);  // of x - mean
  /// y[i] = start + factor * the sum of rows[r][i] squared, in order of r.
  void (*square_sums)(const float* const* rows, std::int64_t count, std::int64_t n, float factor,
                      float start, float* y);
  /// out[p] = scale * (q . rows[p]) for p < count.
  void (*dots)(const float* q, const float* const* rows, std::int64_t count, std::int64_t n,
               float scale, float* out);
  /// y += w[0] * rows[0] + w[1] * rows[1] ..., in that order.
  void (*weigh)(const float* w, const float* const* rows, std::int64_t count, std::int64_t n,
                float* y);
  void (*axpy)(float s, const float* x, float* y, std::int64_t n);          // y += s * x
  float (*exp_sum)(const float* x, float shift, float* y, std::int64_t n);  // y = exp(x - shift)
  /// y = (x - mean) * scale * w + b; w and b may be null.
  void (*affine)(const float* x, float mean, float scale, const float* w, const float* b, float* y,
                 std::int64_t n);
  /// Half-split rotation: lo' = lo * c - hi * s, hi' = hi * c + lo * s.
  void (*rotate)(const float* lo, const float* hi, const float* c, const float* s, float* out_lo,
                 float* out_hi, std::int64_t n);

  /// out[i * stride + r] = rows[r][i] for r < count, i < n.
  void (*transpose)(const float* const* rows, std::int64_t count, std::int64_t n, float* out,
                    std::int64_t stride);
  void (*widen_f16)(const std::uint16_t* x, float* y, std::int64_t n);
  void (*narrow_f16)(const float* x, std::uint16_t* y, std::int64_t n);
  void (*widen_bf16)(const std::uint16_t* x, float* y, std::int64_t n);
  void (*narrow_bf16)(const float* x, std::uint16_t* y, std::int64_t n);
  /// Decodes n elements, whole blocks of the format.
  using DecodeFn = void (*)(const void* blocks, float* y, std::int64_t n);
  DecodeFn (*block_decoder)(BlockFormat format);
  void (*widen_u8)(const std::uint8_t* x, float scale, float zero, float* y, std::int64_t n);
  void (*widen_i8)(const std::int8_t* x, float scale, float zero, float* y, std::int64_t n);

  int gemm_rows = 0;    // rows of the tallest tile
  int gemm_panels = 0;  // panels of the widest tile at gemm_rows rows
  int gemv_panels = 0;  // at one row
  void (*gemm_f32)(const GemmTile& tile, int rows, int panels);
  void (*gemm_f16)(const GemmTile& tile, int rows, int panels);
  /// At most gemm_rows rows and gemm_panels panels.
  void (*multiply_taps)(const TapTile& tile, int rows, int panels);
  int depthwise_positions = 0;
  /// 1 or depthwise_positions positions.
  void (*depthwise)(const DepthwiseTile& tile, int positions);
  void (*depthwise_rows)(const DepthwiseRows& rows);
  void (*window_sum)(const WindowRow& row);
  void (*window_max)(const WindowRow& row);  // a NaN stays
  void (*window_product)(const WindowRow& row);
  /// c is overwritten; one panel.
  void (*gemm_i16)(const IntTile& tile, int rows);
};

extern const Simd kSimdSse2;
extern const Simd kSimdAvx2;
extern const Simd kSimdAvx512;

/// What one block format needs as a packed weight; null where it is not packed.
struct QuantKernels {
  void (*product)(const QuantTile& tile) = nullptr;
  /// Blocks [first, first + blocks) of a packed panel as float32 [32 * blocks][16].
  void (*decode)(const std::uint8_t* scales, const std::uint8_t* codes, std::int64_t first,
                 std::int64_t blocks, float* out) = nullptr;
};

/// Products of block-encoded weights.
struct QuantSimd {
  void (*quantize)(const float* x, std::int64_t n, QuantBlock* blocks, QuantMeta* meta);
  QuantKernels (*kernels)(BlockFormat format);
  int panels;  // of the widest tile
  /// From so many rows on, decoding the weights and a float32 product are faster.
  std::int64_t float_rows;
};
extern const QuantSimd kQuantSse2;
extern const QuantSimd kQuantAvx2;
extern const QuantSimd kQuantVnni;

}  // namespace polaris::cpu
