#version 450
// variants: q8_0 -DC_Q8_0
// variants: q4_0 -DC_Q4_0
// Block-encoded rows to fp32, four elements a thread.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "block_cache.glsl"
layout(local_size_x = 256) in;
CACHE(blocks, 0);
layout(set = 0, binding = 1) writeonly restrict buffer Y { vec4 y[]; };
layout(push_constant) uniform P { uint quads; };

void main() {
  const uint i = group_index() * 256 + gl_LocalInvocationIndex;
  if (i < quads) y[i] = CACHE_FOUR(blocks, i * 4);
}
