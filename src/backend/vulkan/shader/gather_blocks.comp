#version 450
#extension GL_GOOGLE_include_directive : require
// variants: q4_0 -DQ4_0
// variants: q8_0 -DQ8_0
// variants: q4_1 -DQ4_1
// variants: q5_0 -DQ5_0
// variants: q5_1 -DQ5_1
// variants: q4_k -DQ4_K
// variants: q5_k -DQ5_K
// variants: q6_k -DQ6_K
//
// Gather of rows of a block-encoded table, decoded to f32 or f16. A thread decodes two elements.
// Rows outside [row_begin, row_end) are left to the dispatches of the table's other parts.
#include "common.glsl"
#include "index.glsl"

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

layout(binding = 0) readonly buffer Table { uint16_t blocks[]; };
INDEX_BUFFER(1)
layout(binding = 2) writeonly buffer OutF { vec2 out_f[]; };
layout(binding = 2) writeonly buffer OutH { f16vec2 out_h[]; };

#include "block_pairs.glsl"

void main() {
  uint e = group_index() * 256u + gl_LocalInvocationID.x;
  if (e >= push.pairs) return;
  uint line = fast_div(e, push.row_divisor);
  uint p = e - line * push.row_pairs;
  uint row = INDEX(line, push.rows);
  if (row < push.row_begin || row >= push.row_end) return;
  uint block = (row - push.row_begin) * (push.row_pairs / kBlockPairs) + p / kBlockPairs;
  vec2 v = block_pair(block, p % kBlockPairs);
  if (HALF_OUT != 0u) {
    out_h[e] = f16vec2(v);
  } else {
    out_f[e] = v;
  }
}
