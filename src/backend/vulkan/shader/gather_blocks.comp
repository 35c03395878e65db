#version 450
#extension GL_GOOGLE_include_directive : require
// variants: q4_0 -DQ4_0
// variants: q8_0 -DQ8_0
//
// Gather of rows of a block-encoded table, decoded to f32 or f16. A thread decodes two elements.
// Rows outside [row_begin, row_end) are left to the dispatches of the table's other parts.
#include "common.glsl"
#include "index.glsl"
#include "block_halves.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 1) const uint HALF_OUT = 0;

layout(push_constant) uniform Push {
  uint pairs;       // of all rows
  uint row_pairs;   // of one row
  uvec2 row_divisor;
  uint rows;        // of the table
  uint row_begin;
  uint row_end;
} push;

// Blocks are an odd number of 16-bit words, the scale first.
layout(binding = 0) readonly buffer TableH { float16_t scales[]; };
layout(binding = 0) readonly buffer TableW { uint16_t blocks[]; };
INDEX_BUFFER(1)
layout(binding = 2) writeonly buffer OutF { vec2 out_f[]; };
layout(binding = 2) writeonly buffer OutH { f16vec2 out_h[]; };

void main() {
  uint e = group_index() * 256u + gl_LocalInvocationID.x;
  if (e >= push.pairs) return;
  uint line = fast_div(e, push.row_divisor);
  uint p = e - line * push.row_pairs;
  uint row = INDEX(line, push.rows);
  if (row < push.row_begin || row >= push.row_end) return;
  uint block = (row - push.row_begin) * (push.row_pairs / 16u) + p / 16u;
  uint at = p % 16u;  // pair of elements 2 at, 2 at + 1
#ifdef Q4_0
  float d = float(scales[block * kQ4_0Halves]);
  uint word = uint(blocks[block * kQ4_0Halves + 1u + (at & 7u)]);
  word = at < 8u ? word : word >> 4;
  vec2 v = vec2(float(word & 15u), float((word >> 8) & 15u)) - 8.0;
#else
  float d = float(scales[block * kQ8_0Halves]);
  int word = int(uint(blocks[block * kQ8_0Halves + 1u + at]));
  vec2 v = vec2(float(bitfieldExtract(word, 0, 8)), float(bitfieldExtract(word, 8, 8)));
#endif
  if (HALF_OUT != 0u) {
    out_h[e] = f16vec2(v * d);
  } else {
    out_f[e] = v * d;
  }
}
