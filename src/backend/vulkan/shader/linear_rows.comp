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
// y[T, N] = x[T, K] @ w[N, K]^T + bias[N] for few rows of x, with linear.comp's weights and stages,
// on devices without a scalar unit. There each x is a load of every lane, which takes longer than
// the multiply-add it is for: so a lane has four weights for it, of four rows (a gate's: of two
// rows of either matrix). A workgroup has half a row group, since large cards want many of them,
// and deals the units of k to its threads, whose sums are added up in order.
//
// K is a whole number of units.
#extension GL_GOOGLE_include_directive : require
#define MANTISSA
#include "common.glsl"
#include "elements.glsl"

layout(local_size_x_id = 0) in;
// As linear.comp has them.
layout(constant_id = 0) const uint kThreads = 256;  // 32 a column at least
layout(constant_id = 1) const uint kCols = 1;
layout(constant_id = 2) const uint kGroups = 1;  // matrices
layout(constant_id = 3) const uint kHasBias = 0;
layout(constant_id = 5) const uint kTypes = 0;
const uint kTypeBias = kTypes & 255u, kTypeY = (kTypes >> 8) & 255u;
#ifdef STAGE
layout(constant_id = 6) const uint kGate = 0;
layout(constant_id = 7) const uint kStage = 0;
#endif

layout(set = 0, binding = 0) readonly restrict buffer X4 { vec4 x4[]; };
layout(set = 0, binding = 1) readonly restrict buffer W { uvec4 w[]; };
layout(set = 0, binding = 1) readonly restrict buffer S { float16_t s[]; };
layout(set = 0, binding = 1) readonly restrict buffer V { vec2 scales[]; };
FLOATS_IN(2, bias)
FLOATS_AS(writeonly restrict, 3, y)
layout(push_constant) uniform P {  // as linear.comp has it
  uint t;
  uint n;
  uint k;
  uint units;
  uint stride;
  uint group0;
  uint y_n;
#ifdef W_I8
  uint table;
  uint shift;
#endif
#ifdef STAGE
  uint squares_in;
  uint squares_out;
  float size;
  float epsilon;
#endif
};

const uint kHalves = 2, kLanes = 32;      // a workgroup's rows of the 64 of a group
const uint kSlices = kThreads / kLanes;   // of results: column c is with slice c
const uint kMine = 4;                     // weights of a lane
const uint kRowLanes = kLanes * kGroups / kMine;
const uint kDeals = kThreads / kRowLanes;  // threads that share the units of a row
const bool kSquares = true;  // there is always room for them

// Sums of all threads wait in shared memory, of so many columns at once.
const uint kChunkMax = kThreads > 512 ? 1 : 1024 / kThreads;
const uint kChunk = kCols < kChunkMax ? kCols : kChunkMax;
const uint kPart = kThreads + 8;  // rows fall into different banks
shared float part[kMine * kChunk * kPart];

#include "linear_unit_size.glsl"
#ifdef STAGE
#include "linear_stage.glsl"
#else
#define GROUP_FIRST (gl_WorkGroupID.y / kHalves)
#define LOAD_W(type, other, name, at) type(name[at])
#endif
#include "linear_unit.glsl"

// A unit's x is loaded at once, as far as there are registers for it.
const bool kHoist = kCols <= 2;
const uint kUnitVecs = kUnit / 4;

// The scale is taken into the weights where they meet enough rows of x, else into a block's sum.
#if defined(W_F32) || defined(W_F16)
const bool kScaleWeights = true;
#else
const bool kScaleWeights = kCols >= 4;
#endif

// Weight i of a lane: its row of the row group, and whether it is of the second matrix.
#define ROW(i) (half0 + row_lane + kRowLanes * ((i) / kGroups))
#define SECOND(i) (kGroups == 2 && (i) % 2 == 1)

void main() {
  const uint tid = gl_LocalInvocationIndex;
  const uint row_lane = tid % kRowLanes, deal = tid / kRowLanes;
  const uint group = GROUP_FIRST, half0 = gl_WorkGroupID.y % kHalves * kLanes;
  const uint first = group * stride;
  // The last tile is moved back to end at t; what it computes twice comes out the same.
  const uint c0 = min(gl_WorkGroupID.x * kCols, t - kCols);
  float acc[kCols * kMine];
  [[unroll]] for (uint a = 0; a < kCols * kMine; a++) acc[a] = 0;

  Unit next[kMine];
  [[unroll]] for (uint i = 0; i < kMine; i++) {
    next[i] = fetch(SECOND(i), first + min(deal, units - 1), ROW(i));
  }
#ifdef STAGE
  load_squares(c0);
#endif
  vec4 xs[kHoist ? kCols * kUnitVecs : 1];
  for (uint u = deal; u < units; u += kDeals) {
    Unit now[kMine];
    [[unroll]] for (uint i = 0; i < kMine; i++) now[i] = next[i];
    if (kHoist) {
      [[unroll]] for (uint c = 0; c < kCols; c++) {
        [[unroll]] for (uint i = 0; i < kUnitVecs; i++) {
          xs[c * kUnitVecs + i] = x4[((c0 + c) * k + u * kUnit) / 4 + i];
        }
      }
    }
    if (u + kDeals < units) {
      [[unroll]] for (uint i = 0; i < kMine; i++) {
        next[i] = fetch(SECOND(i), first + u + kDeals, ROW(i));
      }
    }
#ifdef W_I8
    [[unroll]] for (uint i = 0; i < kMine; i++) {
      const vec2 affine = scale_of(SECOND(i), first, u, ROW(i));
      now[i].scale = affine.x;
      now[i].zero = affine.y;
    }
#endif
    float sum[kCols * kMine];
    [[unroll]] for (uint a = 0; a < kCols * kMine; a++) sum[a] = kScaleWeights ? acc[a] : 0;
    float x_sum[kCols];
    [[unroll]] for (uint c = 0; c < kCols; c++) x_sum[c] = 0;
    [[unroll]] for (uint j = 0; j < kUnit / kStep; j++) {
      float wv[kMine * kStep];
      [[unroll]] for (uint i = 0; i < kMine; i++) {
        float v[kStep];
        unpack(now[i], j, v);
        const float scale = kScaleWeights ? SCALE(now[i], j) : 1.0;
        [[unroll]] for (uint e = 0; e < kStep; e++) {
#if defined(W_I8)
          wv[i * kStep + e] = (v[e] - now[i].zero) * scale;
#elif defined(MINS)
          wv[i * kStep + e] = kScaleWeights ? v[e] * scale - now[i].zero : v[e];
#else
          wv[i * kStep + e] = v[e] * scale;
#endif
        }
      }
      [[unroll]] for (uint c = 0; c < kCols; c++) {
        const uint part_of = j * kStep / 4, at = ((c0 + c) * k + u * kUnit) / 4 + part_of;
        float xv[kStep];
        [[unroll]] for (uint e = 0; e < kStep; e += 4) {
          const vec4 some = kHoist ? xs[c * kUnitVecs + part_of + e / 4] : x4[at + e / 4];
          [[unroll]] for (uint f = 0; f < 4; f++) xv[e + f] = some[f];
        }
        [[unroll]] for (uint i = 0; i < kMine; i++) {
          [[unroll]] for (uint e = 0; e < kStep; e++) {
            sum[c * kMine + i] += wv[i * kStep + e] * xv[e];
          }
        }
#ifdef MINS
        if (!kScaleWeights) {
          [[unroll]] for (uint e = 0; e < kStep; e++) x_sum[c] += xv[e];
        }
#endif
      }
#ifdef W_Q6_K
      if (!kScaleWeights && j == 1) {
        [[unroll]] for (uint a = 0; a < kCols * kMine; a++) {
          acc[a] += SCALE(now[a % kMine], j) * sum[a];
          sum[a] = 0;
        }
      }
#endif
    }
    [[unroll]] for (uint a = 0; a < kCols * kMine; a++) {
      acc[a] = kScaleWeights ? sum[a] : acc[a] + SCALE(now[a % kMine], 3) * sum[a];
#ifdef MINS
      if (!kScaleWeights) acc[a] -= now[a % kMine].zero * x_sum[a / kMine];
#endif
    }
  }

  // Column c of the workgroup's rows is with threads 32 c to 32 c + 31.
  const uint mine = tid / kLanes, in_slice = tid % kLanes;
  float sums[2] = float[2](0, 0);
  [[unroll]] for (uint start = 0; start < kCols; start += kChunk) {
    if (start > 0) barrier();
    [[unroll]] for (uint a = 0; a < kChunk * kMine; a++) {
      if (start * kMine + a < kCols * kMine) part[a * kPart + tid] = acc[start * kMine + a];
    }
    barrier();
    if (mine >= start && mine < start + kChunk && mine < kCols) {
      const uint from = (mine - start) * kMine + in_slice / kRowLanes * kGroups;
      [[unroll]] for (uint m = 0; m < kGroups; m++) {
        float r = 0;
        for (uint d = 0; d < kDeals; d += 8) {
          [[unroll]] for (uint e = 0; e < 8; e++) {
            r += part[(from + m) * kPart + (d + e) * kRowLanes + in_slice % kRowLanes];
          }
        }
        sums[m] = r;
      }
    }
  }
  const uint row = group * 64 + half0 + in_slice, col = c0 + mine;
#ifdef STAGE
  float square[kCols];
  [[unroll]] for (uint c = 0; c < kCols; c++) {
    square[c] = 0;
    if (c == mine && row < n) square[c] = finish(sums, inverse_of(c), group0 * 64 + row, col);
  }
  if ((kStage & 4u) != 0) {
    add_squares(square, (group0 + group) * 2 + half0 / 32, c0, mine, in_slice);
  }
#else
  if (mine < kCols && row < n && col < t) {
    float r = sums[0];
    if (kHasBias != 0) r += LOAD_FLOAT(bias, kTypeBias, group0 * 64 + row);
    STORE_FLOAT(y, kTypeY, col * y_n + group0 * 64 + row, r)
  }
#endif
}
