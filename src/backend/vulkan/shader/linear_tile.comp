#version 450
// variants: f32 -DW_F32
// variants: f16 -DW_F16
// variants: q8_0 -DW_Q8_0
// variants: q4_0 -DW_Q4_0
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
// variants: q4_1_stage -DW_Q4_1 -DMINS -DSTAGE
// variants: q5_0_stage -DW_Q5_0 -DSTAGE
// variants: q5_1_stage -DW_Q5_1 -DMINS -DSTAGE
// variants: q4_k_stage -DW_Q4_K -DMINS -DSTAGE
// variants: q5_k_stage -DW_Q5_K -DMINS -DSTAGE
// variants: q6_k_stage -DW_Q6_K -DSTAGE
// y[T, N] = x[T, K] @ w[N, K]^T + bias[N] for many rows of x, with linear.comp's weights and
// stages, on devices without a scalar unit: there each x of linear.comp is a load of every lane.
// Here two row groups of w (a gate's of either matrix) and kCols rows of x stand in shared memory,
// kDepth of k at a time, and a thread has 8 x 8 of the results. What comes next is loaded into
// registers while that is multiplied.
//
// K is a multiple of 32.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"

layout(local_size_x = 128) in;
const uint kThreads = 128, kCols = 64, kGroups = 2;
// As linear.comp has them.
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
#ifdef STAGE
  uint squares_in;
  uint squares_out;
  float size;
  float epsilon;
#endif
};

const uint kSlices = 1, kLanes = 64, kHalves = 1;
const uint kRows = 64 * kGroups;  // as many as threads, of which each brings one
const uint kDepth = 16;           // of k in shared memory: two parts of eight
const uint kWide = kCols / 8;     // threads along the rows of x
// Rows of the tiles are longer by a vec4, so that columns fall into different banks.
const uint kRowVecs = kRows / 4 + 1, kColVecs = kCols / 4 + 1;
shared vec4 w_tile[kDepth * kRowVecs];
shared vec4 x_tile[kDepth * kColVecs];

#include "linear_unit_size.glsl"
#ifdef STAGE
shared float part[1];  // of stages that add squares, which this leaves to row_squares
#include "linear_stage.glsl"
#else
const uint kMatrices = 1, kResults = kGroups;
#define GROUP_FIRST (gl_WorkGroupID.y * kGroups)
#define GROUP(g) min(group + (g), group_last)
#define OTHER(g) false
#define LOAD_W(type, other, name, at) type(name[at])
#endif
#include "linear_unit.glsl"

// Units that eight weights of a row come from.
const uint kPartUnits = kUnit < 8 ? 2 : 1;
const bool kPlain = kUnit < 16;  // a step's parts are units of their own, else it is half a unit

// A thread's row of w in a step.
struct Row {
  Unit unit[2 * kPartUnits];  // of both parts; but for plain elements the first alone
};
Row fetch_row(bool other, uint first, uint lane, uint step) {
  Row r;
  if (kPlain) {
    [[unroll]] for (uint i = 0; i < 2 * kPartUnits; i++) {
      r.unit[i] = fetch(other, first + step * 2 * kPartUnits + i, lane);
    }
  } else {
    r.unit[0] = fetch(other, first + step / 2, lane);
  }
  return r;
}

// The second half of a unit where the first was.
Unit second_half(Unit unit) {
#if defined(W_Q8_0)
  unit.quants = unit.more;
#else
  unit.quants.xy = unit.quants.zw;
#endif
#if defined(W_Q5_0) || defined(W_Q5_1) || defined(W_Q5_K)
  unit.more.x >>= 4;
#elif defined(W_Q6_K)
  unit.more.x = unit.more.y;
  unit.scale = unit.zero;
#endif
  return unit;
}

// The eight weights of part `j` of a step.
void weights_of(Row row, uint j, out float v[8]) {
#if defined(W_F32)
  [[unroll]] for (uint e = 0; e < 8; e++) {
    v[e] = uintBitsToFloat(row.unit[2 * j + e / 4].quants[e % 4]);
  }
#elif defined(W_F16)
  unpack(row.unit[j], 0, v);
#else
  const Unit unit = row.unit[0];
  unpack(unit, j, v);
  [[unroll]] for (uint e = 0; e < 8; e++) {
#ifdef MINS
    v[e] = v[e] * unit.scale - unit.zero;
#else
    v[e] *= unit.scale;
#endif
  }
#endif
}

void store_weights(Row row, uint at) {
  [[unroll]] for (uint j = 0; j < 2; j++) {
    float v[8];
    weights_of(row, j, v);
    [[unroll]] for (uint e = 0; e < 8; e++) {
      w_tile[(j * 8 + e) * kRowVecs + at / 4][at % 4] = v[e];
    }
  }
}

void main() {
  const uint tid = gl_LocalInvocationIndex;
  const uint group = GROUP_FIRST;
  const uint group_last = (n - 1) >> 6;
  const uint c0 = gl_WorkGroupID.x * kCols;

  // What this thread brings.
  const bool other = OTHER(tid / 64);
  const uint first = GROUP(tid / 64) * stride;
  uint x_at[2];
  [[unroll]] for (uint i = 0; i < 2; i++) {
    const uint at = tid + i * kThreads;
    x_at[i] = min(c0 + at / 4, t - 1) * (k / 4) + at % 4;
  }
  // What it multiplies: rows 4 r .. 4 r + 3 of both groups, columns 4 c .. of both halves.
  const uint c = tid % kWide, r = tid / kWide;

  float acc[64];
  [[unroll]] for (uint i = 0; i < 64; i++) acc[i] = 0;
  Row row = fetch_row(other, first, tid % 64, 0);
  vec4 xs[2];
  [[unroll]] for (uint i = 0; i < 2; i++) xs[i] = x4[x_at[i]];
#ifdef STAGE
  load_squares(c0);
#endif

  const uint steps = k / kDepth;
  for (uint step = 0; step < steps; step++) {
    barrier();
    store_weights(row, tid);
    [[unroll]] for (uint i = 0; i < 2; i++) {
      const uint at = tid + i * kThreads;
      [[unroll]] for (uint e = 0; e < 4; e++) {
        x_tile[(at % 4 * 4 + e) * kColVecs + at / 16][at / 4 % 4] = xs[i][e];
      }
    }
    barrier();
    const uint next = min(step + 1, steps - 1);
    if (kPlain || next % 2 == 0) {
      row = fetch_row(other, first, tid % 64, next);
    } else {
      row.unit[0] = second_half(row.unit[0]);
    }
    [[unroll]] for (uint i = 0; i < 2; i++) xs[i] = x4[x_at[i] + next * (kDepth / 4)];
    [[unroll]] for (uint d = 0; d < kDepth; d++) {
      const vec4 w0 = w_tile[d * kRowVecs + r], w1 = w_tile[d * kRowVecs + kRows / 8 + r];
      const vec4 x0 = x_tile[d * kColVecs + c], x1 = x_tile[d * kColVecs + kCols / 8 + c];
      [[unroll]] for (uint i = 0; i < 4; i++) {
        [[unroll]] for (uint j = 0; j < 4; j++) {
          acc[i * 4 + j] += w0[i] * x0[j];
          acc[16 + i * 4 + j] += w0[i] * x1[j];
          acc[32 + i * 4 + j] += w1[i] * x0[j];
          acc[48 + i * 4 + j] += w1[i] * x1[j];
        }
      }
    }
  }

#ifdef STAGE
  barrier();
#endif
  [[unroll]] for (uint a = 0; a < 8; a++) {
    const uint column = a / 4 * (kCols / 2) + 4 * c + a % 4, col = c0 + column;
#ifdef STAGE
    const float inverse = inverse_of(column);
#endif
    [[unroll]] for (uint g = 0; g < 2; g++) {
      [[unroll]] for (uint i = 0; i < 4; i++) {
        const uint at = (group + g) * 64 + 4 * r + i, of = a / 4 * 16 + i * 4 + a % 4;
        if (g < kResults && at < n && col < t) {
#ifdef STAGE
          const float sums[2] = float[2](acc[g * 32 + of], acc[32 + of]);  // a gate has one result
          finish(sums, inverse, group0 * 64 + at, col);
#else
          float v = acc[g * 32 + of];
          if (kHasBias != 0) v += LOAD_FLOAT(bias, kTypeBias, group0 * 64 + at);
          STORE_FLOAT(y, kTypeY, col * y_n + group0 * 64 + at, v)
#endif
        }
      }
    }
  }
}
