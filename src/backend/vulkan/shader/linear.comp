#version 450
// variants: f32 -DW_F32
// variants: f16 -DW_F16
// variants: q8_0 -DW_Q8_0
// variants: q4_0 -DW_Q4_0
// variants: i8 -DW_I8
// variants: q4_1 -DW_Q4_1 -DMINS
// variants: q5_0 -DW_Q5_0
// variants: q5_1 -DW_Q5_1 -DMINS
// variants: q4_k -DW_Q4_K -DMINS
// variants: q5_k -DW_Q5_K -DMINS
// variants: q6_k -DW_Q6_K
// variants: f32_stage -DW_F32 -DSTAGE
// variants: f16_stage -DW_F16 -DSTAGE
// variants: q8_0_stage -DW_Q8_0 -DSTAGE
// variants: q4_0_stage -DW_Q4_0 -DSTAGE
// variants: i8_stage -DW_I8 -DSTAGE
// variants: q4_1_stage -DW_Q4_1 -DMINS -DSTAGE
// variants: q5_0_stage -DW_Q5_0 -DSTAGE
// variants: q5_1_stage -DW_Q5_1 -DMINS -DSTAGE
// variants: q4_k_stage -DW_Q4_K -DMINS -DSTAGE
// variants: q5_k_stage -DW_Q5_K -DMINS -DSTAGE
// variants: q6_k_stage -DW_Q6_K -DSTAGE
// variants: f32_routed -DW_F32 -DROUTED
// variants: f16_routed -DW_F16 -DROUTED
// variants: q8_0_routed -DW_Q8_0 -DROUTED
// variants: q4_0_routed -DW_Q4_0 -DROUTED
// variants: q4_1_routed -DW_Q4_1 -DMINS -DROUTED
// variants: q5_0_routed -DW_Q5_0 -DROUTED
// variants: q5_1_routed -DW_Q5_1 -DMINS -DROUTED
// variants: q4_k_routed -DW_Q4_K -DMINS -DROUTED
// variants: q5_k_routed -DW_Q5_K -DMINS -DROUTED
// variants: q6_k_routed -DW_Q6_K -DROUTED
// y[T, N] = x[T, K] @ w[N, K]^T + bias[N], w packed once as [group of 64 rows][k unit][lane].
//
// One row of w a lane: 64 lanes read a unit's 1 KiB in a row. The activations of a unit are the
// same for the whole wave, so the scalar unit loads them and a multiply-add takes them from there.
// Each kLanes threads of a workgroup take every kSlices-th unit of k; the slices are summed in
// order.
//
// STAGE: with what stands around the product in a decoder (linear_stage.glsl).
// ROUTED: a row of y a workgroup, each with a matrix chosen at run time (linear_routed.glsl).
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"
#include "slice.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 256;
layout(constant_id = 1) const uint kCols = 1;     // rows of x a workgroup
layout(constant_id = 2) const uint kGroups = 1;   // row groups of w a workgroup
layout(constant_id = 3) const uint kHasBias = 0;
layout(constant_id = 4) const uint kTail = 0;     // k past the last whole unit (f32, f16, i8)
// bias, y: a byte each; 1 << 16: x in fours
layout(constant_id = 5) const uint kTypes = 0;
const uint kTypeBias = kTypes & 255u, kTypeY = (kTypes >> 8) & 255u;
// Without a scalar unit the loads of x are what takes the time: a quarter as many.
const bool kFours = (kTypes & (1u << 16)) != 0;
const uint kLanes = 64, kHalves = 1;
#ifdef MINS
layout(constant_id = 8) const uint kSums = 0;  // units whose sums of x are shared; kCols is 1
#endif

#ifdef STAGE
layout(constant_id = 6) const uint kGate = 0;   // of a gate: 0 none, 1 SiLU, 2 GELU by tanh
layout(constant_id = 7) const uint kStage = 0;  // bits: scaled, residual, squares, normed
#endif

layout(set = 0, binding = 0) readonly restrict buffer X { float x[]; };
layout(set = 0, binding = 0) readonly restrict buffer X4 { vec4 x4[]; };
layout(set = 0, binding = 1) readonly restrict buffer W { uvec4 w[]; };
layout(set = 0, binding = 1) readonly restrict buffer S { float16_t s[]; };
layout(set = 0, binding = 1) readonly restrict buffer F { float f[]; };
layout(set = 0, binding = 1) readonly restrict buffer O { uint8_t bytes[]; };
layout(set = 0, binding = 1) readonly restrict buffer V { vec2 scales[]; };
FLOATS_IN(2, bias)
FLOATS_AS(writeonly restrict, 3, y)
layout(push_constant) uniform P {
  uint t;       // rows of x
  uint n;       // rows of w in this dispatch
  uint k;
  uint units;   // whole k units
  uint stride;  // units of a row group, the tail's included
  uint group0;  // first row group, for the rows of y and bias
  uint y_n;     // row length of y
#ifdef W_I8
  uint table;   // unit of a row group at which its scales start
  uint shift;   // 2^shift units of k share a scale
#endif
#ifdef ROUTED
  uint x_share;  // rows of y to a row of x
  uint experts;
  uint expert_begin;
  uint expert_end;
#endif
#ifdef STAGE
  uint squares_in;   // sums of squares of a row of x
  uint squares_out;  // of a row of y
  float size;        // elements of a row whose squares they are
  float epsilon;
#endif
};

const uint kSlices = kThreads / kLanes;
const uint kAcc = kCols * kGroups;
// With many columns the block's scale is taken into the weights, else into the block's sum.
#if defined(W_I8)
const bool kScaleWeights = false;  // with the zero point it would be one step more a weight
#elif defined(MINS)
const bool kScaleWeights = kSums == 0;  // what is taken off of a weight goes with it
#else
const bool kScaleWeights = kAcc >= 16;
#endif
// One unit ahead, where that does not cost waves.
const bool kPrefetch = kAcc <= 8;
#ifdef STAGE
const bool kSquares = (kStage & 4u) != 0 && kCols < 16;  // of more columns another kernel has them
#else
const bool kSquares = false;
#endif
const uint kParts = kSlices == 1 && !kSquares ? 1 : kThreads * kAcc;
#ifdef MINS
shared float part[kSums > kParts ? kSums : kParts];  // before the slices' sums, those of x
#else
shared float part[kParts];
#endif

#include "linear_unit_size.glsl"

#ifdef STAGE
#include "linear_stage.glsl"
#elif defined(ROUTED)
#include "linear_routed.glsl"
#else
// The row group of w that a workgroup's group g is, and whether it is one of the second matrix.
#define GROUP_FIRST (gl_WorkGroupID.y * kGroups)
#define GROUP(g) min(group + (g), group_last)
#define OTHER(g) false
#define LOAD_W(type, other, name, at) type(name[at])
#endif

#include "linear_unit.glsl"

void main() {
  const uint lane = gl_LocalInvocationIndex % kLanes;
  const uint slice = slice_of(kSlices);
  const uint group = GROUP_FIRST;
  const uint group_last = (n - 1) >> 6;
  // The last tile is moved back to end at t; what it computes twice comes out the same.
  const uint c0 = min(gl_WorkGroupID.x * kCols, t - kCols);
#ifdef ROUTED
  const uint expert = expert_of(c0);
  if (expert < expert_begin || expert >= expert_end) return;  // another dispatch's
  const uint chosen = (expert - expert_begin) * (group_last + 1);
  const uint x0 = (x_share == 1 ? c0 : c0 / x_share) * k;
#else
  const uint x0 = c0 * k;
#endif
  float acc[kAcc];
  [[unroll]] for (uint a = 0; a < kAcc; a++) acc[a] = 0;

  Unit next[kGroups];
  [[unroll]] for (uint g = 0; g < kGroups; g++) {
    next[g] = fetch(OTHER(g), GROUP(g) * stride + min(slice, stride - 1), lane);
  }
#ifdef STAGE
  load_squares(c0);
#endif
#ifdef MINS
  // What is taken off of a unit's weights is taken times the sum of its x, while the first weights
  // are on their way.
  if (kSums != 0) {
    for (uint u = gl_LocalInvocationIndex; u < units; u += kThreads) {
      float of_unit = 0;
      [[dont_unroll]] for (uint part_of = 0; part_of < 2; part_of++) {
        [[unroll]] for (uint i = 0; i < 16; i++) of_unit += x[x0 + u * kUnit + part_of * 16 + i];
      }
      part[u] = of_unit;
    }
    barrier();
  }
#endif
  for (uint u = slice; u < units; u += kSlices) {
    Unit now[kGroups];
    [[unroll]] for (uint g = 0; g < kGroups; g++) {
      const uint first = GROUP(g) * stride;
      now[g] = kPrefetch ? next[g] : fetch(OTHER(g), first + u, lane);
      if (kPrefetch) next[g] = fetch(OTHER(g), first + min(u + kSlices, stride - 1), lane);
#ifdef W_I8
      const vec2 affine = scale_of(OTHER(g), first, u, lane);
      now[g].scale = affine.x;
      now[g].zero = affine.y;
#endif
    }
    float sum[kAcc];
    [[unroll]] for (uint a = 0; a < kAcc; a++) sum[a] = kScaleWeights ? acc[a] : 0;
    [[unroll]] for (uint j = 0; j < kUnit / kStep; j++) {
      float wv[kGroups * kStep];
      [[unroll]] for (uint g = 0; g < kGroups; g++) {
        float v[kStep];
        unpack(now[g], j, v);
        const float scale = kScaleWeights ? SCALE(now[g], j) : 1.0;
        [[unroll]] for (uint i = 0; i < kStep; i++) {
#if defined(W_I8)
          wv[g * kStep + i] = v[i] - now[g].zero;
#elif defined(MINS)
          wv[g * kStep + i] = kScaleWeights ? v[i] * scale - now[g].zero : v[i];
#else
          wv[g * kStep + i] = v[i] * scale;
#endif
        }
      }
      uint xo = x0 + u * kUnit + j * kStep;
      [[unroll]] for (uint c = 0; c < kCols; c++) {
        float xv[kStep];
        if (kFours) {
          [[unroll]] for (uint i = 0; i < kStep; i += 4) {
            const vec4 some = x4[xo / 4 + i / 4];
            [[unroll]] for (uint e = 0; e < 4; e++) xv[i + e] = some[e];
          }
        } else {
          [[unroll]] for (uint i = 0; i < kStep; i++) xv[i] = x[xo + i];
        }
        [[unroll]] for (uint g = 0; g < kGroups; g++) {
          [[unroll]] for (uint i = 0; i < kStep; i++) {
            sum[g * kCols + c] += wv[g * kStep + i] * xv[i];
          }
        }
        xo += k;
      }
#ifdef W_Q6_K
      if (!kScaleWeights && j == 1) {
        [[unroll]] for (uint a = 0; a < kAcc; a++) {
          acc[a] += SCALE(now[a / kCols], j) * sum[a];
          sum[a] = 0;
        }
      }
#endif
    }
    [[unroll]] for (uint a = 0; a < kAcc; a++) {
      acc[a] = kScaleWeights ? sum[a] : acc[a] + SCALE(now[a / kCols], 3) * sum[a];
    }
#ifdef MINS
    if (kSums != 0) {
      [[unroll]] for (uint g = 0; g < kGroups; g++) acc[g] -= now[g].zero * part[u];
    }
#endif
  }

#ifdef TAIL
  // Not unrolled: a scalar load for every column and k at once would not fit.
  if (slice == 0) {
    [[dont_unroll]] for (uint i = 0; i < kTail; i++) {
      [[unroll]] for (uint g = 0; g < kGroups; g++) {
        const uint first = GROUP(g) * stride;
#ifdef W_I8
        const vec2 affine = scale_of(OTHER(g), first, units, lane);
        const uint at = ((first + units) * kUnitWords + (i >> 4) * 64 + lane) * 16 + (i & 15u);
        const int q = int(LOAD_W(uint, OTHER(g), TAIL, at));
        float v = (float(bitfieldExtract(q, 0, 8)) - affine.y) * affine.x;
#else
        float v = LOAD_W(float, OTHER(g), TAIL, ((first + units) * 64 + lane) * kUnit + i);
#endif
        uint xo = x0 + units * kUnit + i;
        [[unroll]] for (uint c = 0; c < kCols; c++) {
          acc[g * kCols + c] += v * x[xo];
          xo += k;
        }
      }
    }
  }
#endif

  if (kSlices > 1) {
#ifdef MINS
    if (kSums != 0) barrier();  // until nobody reads the sums of x
#endif
    [[unroll]] for (uint a = 0; a < kAcc; a++) {
      part[(a * kSlices + slice) * kLanes + lane] = acc[a];
    }
    barrier();
  }
#ifdef STAGE
  if (kSlices == 1 && kScaled) barrier();
  float square[kCols];
  [[unroll]] for (uint c = 0; c < kCols; c++) {
    square[c] = 0;
    if (c % kSlices != slice) continue;
    const float inverse = inverse_of(c);
    [[unroll]] for (uint g = 0; g < kResults; g++) {
      float sums[2];
      [[unroll]] for (uint i = 0; i < 2; i++) {
        const uint a = (g * kMatrices + i % kMatrices) * kCols + c;
        sums[i] = kSlices > 1 ? sum_of_slices(a, lane) : acc[a];
      }
      const uint row = (group + g) * 64 + lane;
      if (row < n) square[c] = finish(sums, inverse, group0 * 64 + row, c0 + c);
    }
  }
  if (kSquares) add_squares(square, (group0 + group) * 2, c0, slice, lane);
#else
  [[unroll]] for (uint a = 0; a < kAcc; a++) {
    if (a % kSlices == slice) {
      float r = acc[a];
      if (kSlices > 1) {
        r = part[a * kSlices * kLanes + lane];
        [[unroll]] for (uint i = 1; i < kSlices; i++) {
          r += part[(a * kSlices + i) * kLanes + lane];
        }
      }
      uint row = (group + a / kCols) * 64 + lane, col = c0 + a % kCols;
      if (row < n && col < t) {
        row += group0 * 64;
        if (kHasBias != 0) r += LOAD_FLOAT(bias, kTypeBias, row);
        STORE_FLOAT(y, kTypeY, col * y_n + row, r)
      }
    }
  }
#endif
}
