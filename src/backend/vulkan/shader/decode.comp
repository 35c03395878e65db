#version 450
// variants: q8_0 -DC_Q8_0
// variants: q4_0 -DC_Q4_0
// variants: q4_1 -DQ4_1
// variants: q5_0 -DQ5_0
// variants: q5_1 -DQ5_1
// variants: q4_k -DQ4_K
// variants: q5_k -DQ5_K
// variants: q6_k -DQ6_K
// Block-encoded rows to fp32, four elements a thread.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 256) in;
#if defined(C_Q8_0) || defined(C_Q4_0)
#include "block_cache.glsl"
CACHE(blocks, 0);
#else
layout(set = 0, binding = 0) readonly restrict buffer B { uint16_t blocks[]; };
#include "block_pairs.glsl"
#define CACHE_FOUR(name, e)                                              \
  vec4(block_pair((e) / (2 * kBlockPairs), (e) / 2 % kBlockPairs),       \
       block_pair((e) / (2 * kBlockPairs), (e) / 2 % kBlockPairs + 1))
#endif
layout(set = 0, binding = 1) writeonly restrict buffer Y { vec4 y[]; };
layout(push_constant) uniform P { uint quads; };

void main() {
  const uint i = group_index() * 256 + gl_LocalInvocationIndex;
  if (i < quads) y[i] = CACHE_FOUR(blocks, i * 4);
}
