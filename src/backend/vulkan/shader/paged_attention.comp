#version 450
// variants: f32 -DC_F32
// variants: f16 -DC_F16
// variants: q8_0 -DC_Q8_0
// variants: q4_0 -DC_Q4_0
// Softmax attention over a paged cache, kHeads query heads of one kv head and one token a
// workgroup. Positions go by chunks from position 0 with a running maximum, so the order of
// every sum depends on the token's own position only. Scores: one position a thread, the query
// comes through the scalar unit. Values: four elements a thread, positions dealt over the rest.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "block_cache.glsl"

layout(local_size_x_id = 2) in;
layout(constant_id = 0) const uint kHeadDim = 64;  // a multiple of 4, at most 256
layout(constant_id = 1) const uint kHeads = 1;     // query heads a workgroup, all of one kv head
layout(constant_id = 2) const uint kChunk = 256;   // threads, and positions at a time

layout(set = 0, binding = 0) readonly restrict buffer Q { float q[]; };
CACHE(keys, 1);
CACHE(values, 2);
layout(set = 0, binding = 3) readonly restrict buffer B { int block_table[]; };
layout(set = 0, binding = 4) readonly restrict buffer S { int sequences[]; };
layout(set = 0, binding = 5) readonly restrict buffer T { int positions[]; };
layout(set = 0, binding = 6) writeonly restrict buffer Y { float y[]; };
layout(push_constant) uniform P {
  uint heads;
  uint head_ratio;   // query heads of a kv head
  uint row;          // elements of a cache row
  uint rows;         // rows of the cache
  uint page_size;
  uint table_rows;
  uint table_columns;
  float scale;
};

const uint kLanes = kHeadDim / 4;         // threads that share a position's values
const uint kDeal = kChunk / kLanes;       // positions at a time
const float kLowest = -3.0e38;

shared float weight[kHeads * kChunk];
shared uint offset[kChunk];
shared float peak[kHeads * 16];
shared vec4 partial[kChunk];
shared float partial_sum[kDeal];

void main() {
  const uint tid = gl_LocalInvocationIndex;
  const uint token = gl_WorkGroupID.y, head = gl_WorkGroupID.x * kHeads;
  const uint q0 = (token * heads + head) * kHeadDim;
  const uint kv = head / head_ratio * kHeadDim;
  const int sequence = sequences[token];
  if (sequence < 0 || sequence >= int(table_rows)) {
    for (uint i = tid; i < kHeads * kHeadDim; i += kChunk) y[q0 + i] = 0;
    return;
  }
  const uint length = min(uint(max(positions[token] + 1, 0)), table_columns * page_size);
  const uint deal = tid / kLanes, lane = tid % kLanes;

  float top[kHeads], total[kHeads];
  vec4 acc[kHeads];
  [[unroll]] for (uint h = 0; h < kHeads; h++) {
    top[h] = kLowest;
    total[h] = 0;
    acc[h] = vec4(0);
  }
  for (uint base = 0; base < length; base += kChunk) {
    const uint count = min(kChunk, length - base);
    float score[kHeads];
    [[unroll]] for (uint h = 0; h < kHeads; h++) score[h] = kLowest;
    if (tid < count) {
      uint p = base + tid;
      uint page = uint(block_table[uint(sequence) * table_columns + p / page_size]);
      uint at = min(page * page_size + p % page_size, rows - 1) * row + kv;
      offset[tid] = at;
      float sum[kHeads];
      [[unroll]] for (uint h = 0; h < kHeads; h++) sum[h] = 0;
      for (uint d = 0; d < kHeadDim; d += 4) {
        vec4 k = CACHE_LOAD(keys, at + d);
        [[unroll]] for (uint h = 0; h < kHeads; h++) {
          [[unroll]] for (uint i = 0; i < 4; i++) sum[h] += k[i] * q[q0 + h * kHeadDim + d + i];
        }
      }
      [[unroll]] for (uint h = 0; h < kHeads; h++) score[h] = sum[h] * scale;
    }
    [[unroll]] for (uint h = 0; h < kHeads; h++) weight[h * kChunk + tid] = score[h];
    barrier();
    if (tid < kHeads * 16) {
      const uint part = kChunk / 16;
      float m = weight[tid * part];
      for (uint i = 1; i < part; i++) m = max(m, weight[tid * part + i]);
      peak[tid] = m;
    }
    barrier();
    [[unroll]] for (uint h = 0; h < kHeads; h++) {
      float m = top[h];
      for (uint i = 0; i < 16; i++) m = max(m, peak[h * 16 + i]);
      float shrink = exp(top[h] - m);
      acc[h] *= shrink;
      total[h] *= shrink;
      top[h] = m;
      weight[h * kChunk + tid] = exp(score[h] - m);
    }
    barrier();
    if (deal < kDeal) {
      for (uint j = deal; j < count; j += kDeal) {
        vec4 v = CACHE_LOAD(values, offset[j] + lane * 4);
        [[unroll]] for (uint h = 0; h < kHeads; h++) {
          float w = weight[h * kChunk + j];
          total[h] += w;
          acc[h] += w * v;
        }
      }
    }
    barrier();
  }

  [[unroll]] for (uint h = 0; h < kHeads; h++) {
    partial[tid] = acc[h];
    if (lane == 0 && deal < kDeal) partial_sum[deal] = total[h];
    barrier();
    if (tid < kLanes) {
      vec4 sum = partial[tid];
      float norm = partial_sum[0];
      for (uint i = 1; i < kDeal; i++) {
        sum += partial[i * kLanes + tid];
        norm += partial_sum[i];
      }
      sum = norm > 0 ? sum / norm : vec4(0);
      [[unroll]] for (uint i = 0; i < 4; i++) y[q0 + h * kHeadDim + tid * 4 + i] = sum[i];
    }
    barrier();
  }
}
