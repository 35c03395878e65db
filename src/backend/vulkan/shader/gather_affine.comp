#version 450
#extension GL_GOOGLE_include_directive : require
//
// Gather of rows of a table of 8-bit integers with scales, decoded to floats. Rows outside
// [row_begin, row_end) are left to the dispatches of the table's other parts.
#include "common.glsl"
#include "affine.glsl"
#include "elements.glsl"
#include "index.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 1) const uint MODE = 0;
layout(constant_id = 2) const uint HAS_ZERO = 0;
layout(constant_id = 3) const uint TYPE = 0;      // of the table and the zero point
layout(constant_id = 4) const uint TYPE_OUT = 0;

layout(push_constant) uniform Push {
  uint count;
  uint row_elements;
  uvec2 row_divisor;
  uint rows;
  uint axis;
  uint inner;
  uint block;
  uint row_begin;
  uint row_end;
} push;

BUFFER_IN(0, table)
INDEX_BUFFER(1)
FLOATS_OUT(2, y)
layout(binding = 3) readonly restrict buffer Scales { float scales[]; };
BUFFER_IN(4, zero)

void main() {
  uint e = group_index() * 256u + gl_LocalInvocationID.x;
  if (e >= push.count) return;
  uint line = fast_div(e, push.row_divisor);
  uint within = e - line * push.row_elements;
  uint row = INDEX(line, push.rows);
  if (row < push.row_begin || row >= push.row_end) return;
  uint at = affine_index(MODE, row * push.row_elements + within, push.axis, push.inner, push.block);
  uint from = (row - push.row_begin) * push.row_elements + within;
  int q = int(LOAD_BITS(table, TYPE, from).x);
  if (HAS_ZERO != 0u) q -= int(LOAD_BITS(zero, TYPE, at).x);
  STORE_FLOAT(y, TYPE_OUT, e, float(q) * scales[at])
}
