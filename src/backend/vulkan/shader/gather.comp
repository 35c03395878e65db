#version 450
#extension GL_GOOGLE_include_directive : require
// variants: b1 -DT=uint8_t
// variants: b2 -DT=uint16_t
// variants: b4 -DT=uint
// variants: b8 -DT=uvec2
// variants: b16 -DT=uvec4
//
// Gather: out[o][i][n] = data[o][index[i]][n]. A table larger than a binding comes in parts: rows
// [row_begin, row_end) are there, other indices are left to the other parts' dispatches.
#include "common.glsl"
#include "index.glsl"

layout(local_size_x = 256) in;

layout(push_constant) uniform Push {
  uint count;
  uint inner;
  uvec2 inner_divisor;
  uint indices;
  uint axis_size;
  uvec2 indices_divisor;
  uint row_begin;
  uint row_end;
} push;

layout(binding = 0) readonly buffer In { T source[]; };
INDEX_BUFFER(1)
layout(binding = 2) writeonly buffer Out { T target[]; };

void main() {
  uint e = group_index() * 256u + gl_LocalInvocationID.x;
  if (e >= push.count) return;
  uint line = fast_div(e, push.inner_divisor);
  uint n = e - line * push.inner;
  uint outer = fast_div(line, push.indices_divisor);
  uint row = INDEX(line - outer * push.indices, push.axis_size);
  if (row < push.row_begin || row >= push.row_end) return;
  target[e] = source[(outer * push.axis_size + row - push.row_begin) * push.inner + n];
}
