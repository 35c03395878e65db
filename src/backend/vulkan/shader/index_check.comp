#version 450
#extension GL_GOOGLE_include_directive : require
//
// Tells of an index out of range, an index a thread: what moves data by it clamps it, so that
// nothing else is touched, and goes on. Indices are 4 or 8 bytes; every DIMS of them address a
// place.
#include "common.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint WIDE = 0;
layout(constant_id = 1) const uint DIMS = 1;

layout(push_constant) uniform Push {
  uint count;
  uint size;  // of the dim, where it is one
} push;

layout(binding = 0) readonly restrict buffer Indices { int words[]; };
layout(binding = 1) readonly restrict buffer Sizes { uint sizes[]; };  // of the dims
layout(binding = 2) writeonly buffer Status { int status; };           // 0 is never out of range

void main() {
  uint at = group_index() * 256u + gl_LocalInvocationID.x;
  if (at >= push.count) return;
  int i = words[WIDE != 0u ? 2u * at : at];
  if (WIDE != 0u) {
    int high = words[2u * at + 1u];
    if (high != i >> 31) i = high < 0 ? int(0x80000000u) : 0x7FFFFFFF;
  }
  uint size = DIMS == 1u ? push.size : sizes[at % DIMS];
  if (uint(i) + size >= 2u * size) status = i;  // negative ones count from the end
}
