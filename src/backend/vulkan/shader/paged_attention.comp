#version 450
// variants: f32 -DC_F32
// variants: f16 -DC_F16
// variants: q8_0 -DC_Q8_0
// variants: q4_0 -DC_Q4_0
// Softmax attention over a paged cache: kHeads query heads of one kv head and one token a
// workgroup, over all positions or over a span of them. Spans leave their sums in `partial`; the
// workgroup that ends last adds them up from span 0 on, so that the order of every sum depends on
// the token's own position only. Scores: one position a thread, the query comes through the scalar
// unit. Values: 16 bytes or a block's quarter a thread, positions dealt over the rest.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "exact.glsl"
#include "math.glsl"

layout(local_size_x_id = 2) in;
layout(constant_id = 0) const uint kHeadDim = 64;   // at most 4 kThreads
layout(constant_id = 1) const uint kHeads = 1;      // query heads a workgroup, all of one kv head
layout(constant_id = 2) const uint kThreads = 256;  // and positions at a time
layout(constant_id = 3) const uint kMode = 0;       // 0: no spans, 1: z is the span, 2: see `list`
layout(constant_id = 4) const uint kRowType = 0;
// Fours of values that a thread takes: 2 only of whole 8 float16 or whole blocks in a head.
layout(constant_id = 5) const uint kParts = 1;
layout(constant_id = 6) const float kCap = 0.0;  // scores s become kCap tanh(s / kCap); 0: stay

layout(constant_id = 7) const uint kSinks = 0;   // 1: heads have sinks

#include "rows.glsl"
#include "block_cache.glsl"

ROWS_IN(q, 0);
CACHE(keys, 1);
CACHE(values, 2);
layout(set = 0, binding = 3) readonly restrict buffer B { int block_table[]; };
layout(set = 0, binding = 4) readonly restrict buffer S { int sequences[]; };
layout(set = 0, binding = 5) readonly restrict buffer T { int positions[]; };
ROWS_OUT(y, 6);
// [token][head][span]{kHeadDim sums, maximum, total}
layout(set = 0, binding = 7) coherent restrict buffer W { float partial[]; };
// Spans that are done, by token and group of heads; zero before and after.
layout(set = 0, binding = 8) coherent restrict buffer C { uint done[]; };
// Four words, then the first y of each token: what attention_grid.comp writes.
layout(set = 0, binding = 9) readonly restrict buffer L { uint list[]; };
// 1 where a position has no page in the block table.
layout(set = 0, binding = 10) writeonly restrict buffer R { uint status; };
// Scores of nothing, of which each takes its part of its head's softmax.
layout(set = 0, binding = 11) readonly restrict buffer N { float sinks[]; };
layout(push_constant) uniform P {
  uint heads;
  uint head_ratio;   // query heads of a kv head
  uint row;          // elements of a cache row
  uint rows;         // rows of the cache
  uint page_size;
  uint table_rows;
  uint table_columns;
  float scale;
  uint tokens;
  uint span;         // positions
  uint spans;        // at most kSpansMax
  uint window;       // positions that a token sees, up to its own
};

const bool kTight = kHeadDim % 4 == 0;
const uint kVecs = (kHeadDim + 4 * kParts - 1) / (4 * kParts);  // threads that share a position
const uint kDeal = kThreads / kVecs;                            // positions at a time
const uint kBatch = 4;                      // loads in flight
const uint kSpansMax = 32;
const float kLowest = -3.4028234663852886e38;

shared float weight[kHeads * kThreads];
shared uint offset[kThreads];
shared float peak[kHeads * 16];
shared vec4 sums[kThreads];
shared float sum_weight[kDeal];
shared float span_top[kHeads * kSpansMax];
shared float span_total[kHeads * kSpansMax];
shared float span_factor[kHeads * kSpansMax];
shared bool is_last;

bool inside(uint d) { return kTight || d < kHeadDim; }

vec4 load_keys(uint at, uint d) {
  if (kTight) return CACHE_FOUR(keys, at + d);
  vec4 k = vec4(0);
  [[unroll]] for (uint i = 0; i < 4; i++) {
    if (inside(d + i)) k[i] = CACHE_ONE(keys, at + d + i);
  }
  return k;
}

// First element of a thread's part of the values.
uint part_at(uint lane, uint part) {
#if defined(C_Q4_0)
  if (kParts == 2) return lane / 4 * 32 + lane % 4 * 4 + part * 16;
#endif
  return (lane * kParts + part) * 4;
}

void load_values(out vec4 v[kParts], uint at, uint lane) {
  if (kParts == 1) {
    v[0] = vec4(0);
    [[unroll]] for (uint i = 0; i < 4; i++) {
      if (!kTight && inside(lane * 4 + i)) v[0][i] = CACHE_ONE(values, at + lane * 4 + i);
    }
    if (kTight) v[0] = CACHE_FOUR(values, at + lane * 4);
    return;
  }
#if defined(C_F16)
  uvec4 raw = values_eight[at / 8 + lane];
  v[0] = cache_halves(raw.xy);
  v[kParts - 1] = cache_halves(raw.zw);
#elif !defined(C_F32)
  const uint block = at / 32 + lane / 4, first = block * kBlockHalves / 2;
  const bool odd = (block & 1u) != 0;
  const uint scale_word = values_word[first];
  const float block_scale = unpackHalf2x16(odd ? scale_word >> 16 : scale_word).x;
  const uint from = first + lane % 4 * (kBlockHalves / 8);
  uint word[kBlockHalves / 8 + 1];
  [[unroll]] for (uint i = 0; i <= kBlockHalves / 8; i++) word[i] = values_word[from + i];
#if defined(C_Q8_0)
  v[0] = block_scale * signed_bytes(odd ? word[1] : (word[0] >> 16) | (word[1] << 16));
  v[kParts - 1] = block_scale * signed_bytes(odd ? word[2] : (word[1] >> 16) | (word[2] << 16));
#else
  const uint quants = odd ? word[1] : (word[0] >> 16) | (word[1] << 16);
  v[0] = block_scale * nibbles(quants);
  v[kParts - 1] = block_scale * nibbles(quants >> 4);
#endif
#endif
}

// Element d + i of query head h; d is a multiple of four.
float query(uint q0, uint h, uint d, uint i) {
  const uint base = q0 + h * kHeadDim + d;
  return kHeadDim % 2 == 0 ? ROWS_LOAD_EVEN(q, base, i) : ROWS_LOAD(q, base, i);
}

void add_dots(inout float sum[kHeads], vec4 k, uint q0, uint d) {
  [[unroll]] for (uint h = 0; h < kHeads; h++) {
    [[unroll]] for (uint i = 0; i < 4; i++) {
      if (inside(d + i)) sum[h] += k[i] * query(q0, h, d, i);
    }
  }
}

// Whole cache lines at once where rows are aligned, so that a line is fetched once and the loads
// wait for each other.
uint add_lines(inout float sum[kHeads], uint at, uint q0) {
  uint d = 0;
#if defined(C_F32)
  if (!kTight) return 0;
  for (; d + 16 <= kHeadDim; d += 16) {
    vec4 k[4];
    [[unroll]] for (uint i = 0; i < 4; i++) k[i] = keys_four[(at + d) / 4 + i];
    [[unroll]] for (uint i = 0; i < 4; i++) add_dots(sum, k[i], q0, d + 4 * i);
  }
#elif defined(C_F16)
  if (kHeadDim % 8 != 0) return 0;
  for (; d + 32 <= kHeadDim; d += 32) {
    uvec4 k[4];
    [[unroll]] for (uint i = 0; i < 4; i++) k[i] = keys_eight[(at + d) / 8 + i];
    [[unroll]] for (uint i = 0; i < 4; i++) {
      add_dots(sum, cache_halves(k[i].xy), q0, d + 8 * i);
      add_dots(sum, cache_halves(k[i].zw), q0, d + 8 * i + 4);
    }
  }
#else
  if (kHeadDim % 32 != 0) return 0;
  for (; d < kHeadDim; d += 32) {
    const uint block = (at + d) / 32, first = block * kBlockHalves / 2;
    const bool odd = (block & 1u) != 0;
    uint word[kBlockHalves / 2 + 1];
    [[unroll]] for (uint i = 0; i <= kBlockHalves / 2; i++) word[i] = keys_word[first + i];
    float dots[kHeads];
    [[unroll]] for (uint h = 0; h < kHeads; h++) dots[h] = 0;
    [[unroll]] for (uint i = 0; i < kBlockHalves / 2; i++) {
      uint quants = odd ? word[i + 1] : (word[i] >> 16) | (word[i + 1] << 16);
#if defined(C_Q8_0)
      add_dots(dots, signed_bytes(quants), q0, d + 4 * i);
#else
      add_dots(dots, nibbles(quants), q0, d + 4 * i);
      add_dots(dots, nibbles(quants >> 4), q0, d + 16 + 4 * i);
#endif
    }
    const float block_scale = unpackHalf2x16(odd ? word[0] >> 16 : word[0]).x;
    [[unroll]] for (uint h = 0; h < kHeads; h++) sum[h] += block_scale * dots[h];
  }
#endif
  return d;
}

float capped(float score) { return kCap == 0.0 ? score : kCap * tanh_accurate(score / kCap); }

// The token of this workgroup and its span, in grids that a list gives.
uvec2 find_work(uint item) {
  uint low = 0, high = tokens;
  while (high - low > 1) {
    uint middle = (low + high) / 2;
    if (list[4 + middle] <= item) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return uvec2(low, item - list[4 + low]);
}

uint partial_at(uint token, uint head, uint index) {
  return ((token * heads + head) * spans + index) * (kHeadDim + 2);
}

// Adds up what the threads have for four values of a head, and stores it: zeros where the token has
// no position. Where it has, scores of nothing but -inf are no distribution, and 0 / 0 says so.
void add_deals(uint token, uint head, uint index, uint live, uint d, float top, bool filled) {
  const uint tid = gl_LocalInvocationIndex;
  vec4 sum = sums[tid];
  float norm = sum_weight[0];
  for (uint i = 1; i < kDeal; i++) {
    sum += sums[i * kVecs + tid];
    norm += sum_weight[i];
  }
  if (kSinks != 0 && index == 0) {
    const float sink = sinks[head], m = max(top, sink), shrink = exp(top - m);
    sum *= shrink;
    norm = norm * shrink + exp(sink - m);
    top = m;
  }
  if (live == 1) {
    sum = filled ? sum / norm : vec4(0);
    [[unroll]] for (uint i = 0; i < 4; i++) {
      if (inside(d + i)) ROWS_STORE(y, (token * heads + head) * kHeadDim + d + i, sum[i])
    }
    return;
  }
  const uint at = partial_at(token, head, index);
  [[unroll]] for (uint i = 0; i < 4; i++) {
    if (inside(d + i)) partial[at + d + i] = sum[i];
  }
  if (tid == 0) {
    partial[at + kHeadDim] = top;
    partial[at + kHeadDim + 1] = norm;
  }
}

// Adds up the spans of kHeads heads from `head` on.
void combine(uint token, uint head, uint live) {
  const uint tid = gl_LocalInvocationIndex;
  for (uint i = tid; i < kHeads * live; i += kThreads) {
    uint h = i / live, s = i % live, at = partial_at(token, head + h, s) + kHeadDim;
    span_top[h * kSpansMax + s] = partial[at];
    span_total[h * kSpansMax + s] = partial[at + 1];
  }
  barrier();
  for (uint i = tid; i < kHeads * live; i += kThreads) {
    uint first = i / live * kSpansMax, s = i % live;
    float m = kLowest;
    for (uint j = 0; j < live; j++) m = max(m, span_top[first + j]);
    span_factor[first + s] = exp(span_top[first + s] - m);
  }
  barrier();
  for (uint i = tid; i < kHeads * kHeadDim; i += kThreads) {
    uint h = i / kHeadDim, d = i % kHeadDim, at = partial_at(token, head + h, 0) + d;
    float sum = 0, norm = 0;
    for (uint s = 0; s < live; s++) {
      sum += span_factor[h * kSpansMax + s] * partial[at + s * (kHeadDim + 2)];
      norm += span_factor[h * kSpansMax + s] * span_total[h * kSpansMax + s];
    }
    sum /= norm;
    ROWS_STORE(y, (token * heads + head) * kHeadDim + i, sum)
  }
}

void main() {
  const uint tid = gl_LocalInvocationIndex, head = gl_WorkGroupID.x * kHeads;
  uvec2 work = gl_WorkGroupID.yz;
  if (kMode == 2) work = find_work(gl_WorkGroupID.y);
  const uint token = work.x;
  const int sequence = sequences[token];
  const uint wanted = sequence < 0 ? 0 : uint(max(positions[token] + 1, 0));
  const uint reach = sequence < int(table_rows) ? table_columns * page_size : 0;
  const uint length = min(wanted, reach);
  if (wanted > reach) status = 1;
  const uint live = kMode == 0 ? 1 : max((length + span - 1) / span, 1);
  if (work.y >= live) return;
  const uint first = kMode == 0 ? 0 : work.y * span;
  // Spans behind the window have nothing to add.
  const uint begin = max(first, length - min(length, window));
  const uint end = kMode == 0 ? length : min(length, first + span);

  const uint q0 = (token * heads + head) * kHeadDim;
  const uint kv = head / head_ratio * kHeadDim;
  const uint deal = tid / kVecs, lane = tid % kVecs;
  float top[kHeads], total[kHeads];
  vec4 acc[kHeads * kParts];
  [[unroll]] for (uint h = 0; h < kHeads; h++) {
    top[h] = kLowest;
    total[h] = 0;
  }
  [[unroll]] for (uint i = 0; i < kHeads * kParts; i++) acc[i] = vec4(0);
  const uint pages = rows / page_size;
  for (uint base = begin; base < end; base += kThreads) {
    const uint count = min(kThreads, end - base);
    float score[kHeads];
    [[unroll]] for (uint h = 0; h < kHeads; h++) score[h] = kLowest;
    if (tid < count) {
      uint p = base + tid;
      uint page = uint(block_table[uint(sequence) * table_columns + p / page_size]);
      if (page >= pages) status = 1;
      uint at = min(page * page_size + p % page_size, rows - 1) * row + kv;
      offset[tid] = at;
      float sum[kHeads];
      [[unroll]] for (uint h = 0; h < kHeads; h++) sum[h] = 0;
      for (uint d = add_lines(sum, at, q0); d < kHeadDim; d += 4) {
        add_dots(sum, load_keys(at, d), q0, d);
      }
      [[unroll]] for (uint h = 0; h < kHeads; h++) score[h] = capped(sum[h] * scale);
    }
    [[unroll]] for (uint h = 0; h < kHeads; h++) weight[h * kThreads + tid] = score[h];
    barrier();
    if (tid < kHeads * 16) {
      const uint first = tid / 16 * kThreads + tid % 16;
      float m = weight[first];
      for (uint i = 16; i < kThreads; i += 16) m = max(m, weight[first + i]);
      peak[tid] = m;
    }
    barrier();
    [[unroll]] for (uint h = 0; h < kHeads; h++) {
      float m = top[h];
      for (uint i = 0; i < 16; i++) m = max(m, peak[h * 16 + i]);
      float shrink = exp(top[h] - m);
      [[unroll]] for (uint part = 0; part < kParts; part++) acc[h * kParts + part] *= shrink;
      total[h] *= shrink;
      top[h] = m;
      weight[h * kThreads + tid] = exp(score[h] - m);
    }
    barrier();
    if (deal < kDeal) {
      for (uint j = deal; j < count; j += kBatch * kDeal) {
        vec4 v[kBatch][kParts];
        [[unroll]] for (uint i = 0; i < kBatch; i++) {
          load_values(v[i], offset[min(j + i * kDeal, count - 1)], lane);
        }
        [[unroll]] for (uint i = 0; i < kBatch; i++) {
          // A weight of zero would not do: the value may be an infinity.
          if (i != 0 && j + i * kDeal >= count) continue;
          [[unroll]] for (uint h = 0; h < kHeads; h++) {
            float w = weight[h * kThreads + j + i * kDeal];
            total[h] += w;
            [[unroll]] for (uint part = 0; part < kParts; part++) {
              acc[h * kParts + part] += w * v[i][part];
            }
          }
        }
      }
    }
    barrier();
  }

  [[unroll]] for (uint h = 0; h < kHeads; h++) {
    [[unroll]] for (uint part = 0; part < kParts; part++) {
      sums[tid] = acc[h * kParts + part];
      if (lane == 0 && deal < kDeal) sum_weight[deal] = total[h];
      barrier();
      if (tid < kVecs) {
        add_deals(token, head + h, work.y, live, part_at(tid, part), top[h], length > 0);
      }
      barrier();
    }
  }
  if (kMode == 0 || live == 1) return;

  memoryBarrierBuffer();
  barrier();
  if (tid == 0) {
    const uint at = token * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    memoryBarrierBuffer();
    is_last = atomicAdd(done[at], 1) == live - 1;
    if (is_last) done[at] = 0;
  }
  barrier();
  if (!is_last) return;
  memoryBarrierBuffer();
  combine(token, head, live);
}
