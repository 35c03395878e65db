#version 450
// variants: f32 -DC_F32
// variants: f16 -DC_F16
// variants: q8_0 -DC_Q8_0
// variants: q4_0 -DC_Q4_0
// Softmax attention of many tokens of one sequence over its paged cache. A workgroup takes one head
// and a tile of tokens, and walks the positions in blocks as large, which begin at the same places
// for every tile: a token comes out the same whatever stands beside it. Scores are a product of two
// tiles in local memory, and so are the sums of values, with four tokens a thread in both.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "exact.glsl"
#include "math.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kHeadDim = 64;  // whole fours, at most 256
layout(constant_id = 1) const uint kRowType = 0;
layout(constant_id = 2) const float kCap = 0.0;  // scores s become kCap tanh(s / kCap); 0: stay
layout(constant_id = 3) const uint kSinks = 0;   // 1: heads have sinks

#include "rows.glsl"
#include "block_cache.glsl"

ROWS_IN(q, 0);
CACHE(keys, 1);
CACHE(values, 2);
layout(set = 0, binding = 3) readonly restrict buffer B { int block_table[]; };
layout(set = 0, binding = 4) readonly restrict buffer S { int sequences[]; };
layout(set = 0, binding = 5) readonly restrict buffer T { int positions[]; };
ROWS_OUT(y, 6);
// 1 where a position has no page in the block table.
layout(set = 0, binding = 7) writeonly restrict buffer R { uint status; };
// Scores of nothing, of which each takes its part of its head's softmax.
layout(set = 0, binding = 8) readonly restrict buffer N { float sinks[]; };
layout(push_constant) uniform P {
  uint heads;
  uint head_ratio;  // query heads of a kv head
  uint row;         // elements of a cache row
  uint rows;        // rows of the cache
  uint page_size;
  uint table_columns;
  float scale;
  uint tokens;
  uint window;      // positions that a token sees, up to its own
};

const uint kTile = 64;               // tokens, and positions of a block
const uint kChunk = 4;               // fours of a head in local memory at a time
const uint kPitch = kChunk + 1;      // fours; the one more keeps the banks apart
const uint kWeightPitch = kTile / 4 + 1;
const uint kFours = (kHeadDim + 63) / 64;       // fours of values a thread
const uint kValues = kHeadDim <= 128 ? 16 : 8;  // positions whose values are there at a time
const uint kStagedValues = kValues * kFours * 16;
const uint kStaged = kStagedValues > 2 * kTile * kPitch ? kStagedValues : 2 * kTile * kPitch;
const float kLowest = -3.4028234663852886e38;

// Queries and keys, then what the 16 threads of a token bring together, then values.
shared vec4 stage[kStaged];
shared vec4 weight[kTile * kWeightPitch];  // [token][position]
shared uint offset[kTile];                 // of a position's row in the cache
shared uvec2 seen[kTile];                  // positions that a token sees: from, to

vec4 load_query(uint at) {
  return vec4(ROWS_LOAD_EVEN(q, at, 0), ROWS_LOAD_EVEN(q, at, 1), ROWS_LOAD_EVEN(q, at, 2),
              ROWS_LOAD_EVEN(q, at, 3));
}

float capped(float score) { return kCap == 0.0 ? score : kCap * tanh_accurate(score / kCap); }

bool sees(uvec2 range, uint position) { return position >= range.x && position < range.y; }

uint token_of(uint in_tile) { return min(gl_WorkGroupID.x * kTile + in_tile, tokens - 1); }

// What a token sees. Rows behind the last token do as it does.
void read_token(uint in_tile) {
  const uint token = token_of(in_tile);
  const int sequence = sequences[token];
  const uint wanted = sequence < 0 ? 0 : uint(max(positions[token] + 1, 0));
  const uint reach = sequence == 0 ? table_columns * page_size : 0;
  if (wanted > reach) status = 1;
  const uint length = min(wanted, reach);
  seen[in_tile] = uvec2(length - min(length, window), length);
}

// Where a position lies. One without a page that no token sees is nobody's fault.
void read_position(uint in_block, uint position, uint kv) {
  uint page = 0;
  if (position < table_columns * page_size) page = uint(block_table[position / page_size]);
  if (page >= rows / page_size) {
    for (uint i = 0; i < kTile; i++) {
      if (sees(seen[i], position)) status = 1;
    }
  }
  offset[in_block] = min(page * page_size + position % page_size, rows - 1) * row + kv;
}

void main() {
  const uint tid = gl_LocalInvocationIndex, head = gl_WorkGroupID.y;
  const uint tx = tid % 16, ty = tid / 16;  // positions or values tx + 16 j, tokens ty + 16 i
  const uint kv = head / head_ratio * kHeadDim;
  if (tid < kTile) read_token(tid);
  barrier();
  // Of the tile: what any token sees, and what all do.
  uvec2 any = uvec2(0xFFFFFFFFu, 0), all = uvec2(0, 0xFFFFFFFFu);
  for (uint i = 0; i < kTile; i++) {
    const uvec2 one = seen[i];
    all = uvec2(max(all.x, one.x), min(all.y, one.y));
    if (one.y > 0) any = uvec2(min(any.x, one.x), max(any.y, one.y));
  }
  uvec2 mine[4];
  float top[4], total[4];
  vec4 acc[4 * kFours];
  [[unroll]] for (uint i = 0; i < 4; i++) {
    mine[i] = seen[ty + 16 * i];
    top[i] = kLowest;
    total[i] = 0;
  }
  [[unroll]] for (uint i = 0; i < 4 * kFours; i++) acc[i] = vec4(0);

  for (uint base = any.x / kTile * kTile; base < any.y; base += kTile) {
    const bool whole = base >= all.x && base + kTile <= all.y;
    if (tid < kTile) read_position(tid, base + tid, kv);
    barrier();
    // Scores.
    float score[16];
    [[unroll]] for (uint i = 0; i < 16; i++) score[i] = 0;
    for (uint d = 0; d < kHeadDim; d += 4 * kChunk) {
      const uint part = d + tid % kChunk * 4, from = tid / kChunk;
      const bool there = kHeadDim % (4 * kChunk) == 0 || part < kHeadDim;
      vec4 a = vec4(0), b = vec4(0);
      if (there) {
        a = load_query((token_of(from) * heads + head) * kHeadDim + part);
        b = CACHE_FOUR(keys, offset[from] + part);
      }
      stage[from * kPitch + tid % kChunk] = a;
      stage[(kTile + from) * kPitch + tid % kChunk] = b;
      barrier();
      [[unroll]] for (uint c = 0; c < kChunk; c++) {
        vec4 a[4], b[4];
        [[unroll]] for (uint i = 0; i < 4; i++) a[i] = stage[(ty + 16 * i) * kPitch + c];
        [[unroll]] for (uint j = 0; j < 4; j++) b[j] = stage[(kTile + tx + 16 * j) * kPitch + c];
        [[unroll]] for (uint e = 0; e < 4; e++) {
          [[unroll]] for (uint i = 0; i < 4; i++) {
            [[unroll]] for (uint j = 0; j < 4; j++) score[i * 4 + j] += a[i][e] * b[j][e];
          }
        }
      }
      barrier();
    }
    // Their weights, by the largest so far of each token.
    [[unroll]] for (uint i = 0; i < 4; i++) {
      float most = kLowest;
      [[unroll]] for (uint j = 0; j < 4; j++) {
        const float s = capped(score[i * 4 + j] * scale);
        score[i * 4 + j] = s;
        if (sees(mine[i], base + tx + 16 * j)) most = max(most, s);
      }
      stage[(ty + 16 * i) * kPitch + tx / 4][tx % 4] = most;
    }
    barrier();
    [[unroll]] for (uint i = 0; i < 4; i++) {
      float most = top[i];
      [[unroll]] for (uint c = 0; c < 4; c++) {
        const vec4 m = stage[(ty + 16 * i) * kPitch + c];
        most = max(max(max(most, m.x), max(m.y, m.z)), m.w);
      }
      // 1 where nothing is new, whatever the device makes of exp(0).
      const float shrink = most == top[i] ? 1.0 : exp(top[i] - most);
      top[i] = most;
      total[i] *= shrink;
      [[unroll]] for (uint f = 0; f < kFours; f++) acc[i * kFours + f] *= shrink;
      [[unroll]] for (uint j = 0; j < 4; j++) {
        float w = 0;
        if (sees(mine[i], base + tx + 16 * j)) w = exp(score[i * 4 + j] - most);
        total[i] += w;
        weight[(ty + 16 * i) * kWeightPitch + tx / 4 + 4 * j][tx % 4] = w;
      }
    }
    barrier();
    // Their values.
    for (uint k = 0; k < kTile; k += kValues) {
      [[unroll]] for (uint at = tid; at < kValues * kFours * 16; at += 256) {
        const uint d = at % (kFours * 16) * 4;
        vec4 v = vec4(0);
        if (kHeadDim % 64 == 0 || d < kHeadDim) {
          v = CACHE_FOUR(values, offset[k + at / (kFours * 16)] + d);
        }
        stage[at] = v;
      }
      barrier();
      for (uint c = 0; c < kValues; c += 4) {
        vec4 w[4];
        [[unroll]] for (uint i = 0; i < 4; i++) {
          w[i] = weight[(ty + 16 * i) * kWeightPitch + (k + c) / 4];
        }
        [[unroll]] for (uint e = 0; e < 4; e++) {
          vec4 v[kFours];
          [[unroll]] for (uint f = 0; f < kFours; f++) {
            v[f] = stage[(c + e) * kFours * 16 + f * 16 + tx];
          }
          [[unroll]] for (uint i = 0; i < 4; i++) {
            // A weight of zero would not do: the value may be an infinity.
            if (whole || sees(mine[i], base + k + c + e)) {
              [[unroll]] for (uint f = 0; f < kFours; f++) acc[i * kFours + f] += w[i][e] * v[f];
            }
          }
        }
      }
      barrier();
    }
  }

  [[unroll]] for (uint i = 0; i < 4; i++) {
    stage[(ty + 16 * i) * kPitch + tx / 4][tx % 4] = total[i];
  }
  barrier();
  [[unroll]] for (uint i = 0; i < 4; i++) {
    const uint token = gl_WorkGroupID.x * kTile + ty + 16 * i;
    float norm = 0;
    [[unroll]] for (uint c = 0; c < 4; c++) {
      const vec4 t = stage[(ty + 16 * i) * kPitch + c];
      norm += t.x + t.y + t.z + t.w;
    }
    float shrink = 1;
    if (kSinks != 0) {
      const float sink = sinks[head], most = max(top[i], sink);
      shrink = exp(top[i] - most);
      norm = norm * shrink + exp(sink - most);
    }
    // Scores of nothing but -inf are no distribution, and 0 / 0 says so.
    [[unroll]] for (uint f = 0; f < kFours; f++) {
      const uint d = (f * 16 + tx) * 4;
      if (token >= tokens || d >= kHeadDim) continue;
      const vec4 sum = mine[i].y > 0 ? acc[i * kFours + f] * shrink / norm : vec4(0);
      const uint at = (token * heads + head) * kHeadDim + d;
      [[unroll]] for (uint e = 0; e < 4; e++) ROWS_STORE(y, at + e, sum[e])
    }
  }
}
