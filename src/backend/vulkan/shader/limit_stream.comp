#version 450
#extension GL_GOOGLE_include_directive : require
// variants: fill -DFILL
// variants: copy -DCOPY
// variants: read -DREAD
//
// limit.Fill, limit.Copy and limit.Read: 16 bytes a thread at a time, neighbours side by side.
#include "common.glsl"

layout(local_size_x = 256) in;

layout(push_constant) uniform Push {
  uint count;  // threads
} push;

#ifdef FILL
layout(binding = 0) writeonly buffer Out { vec4 target[]; };
#elif defined(COPY)
layout(binding = 0) readonly buffer In { vec4 source[]; };
layout(binding = 1) writeonly buffer Out { vec4 target[]; };
#else
layout(binding = 0) readonly buffer In { vec4 source[]; };
layout(binding = 1) writeonly buffer Out { float target[]; };
#endif

void main() {
  uint i = group_index() * 256u + gl_LocalInvocationID.x;
  if (i >= push.count) return;
#ifdef FILL
  target[i] = vec4(1.0);
#elif defined(COPY)
  target[i] = source[i];
#else
  // 16 loads, each of a group's threads in a row.
  uint first = group_index() * 4096u + gl_LocalInvocationID.x;
  vec4 sum = vec4(0.0);
  [[unroll]] for (uint k = 0u; k < 16u; ++k) sum += source[first + k * 256u];
  target[i] = sum.x + sum.y + sum.z + sum.w;
#endif
}
