#version 450
#extension GL_GOOGLE_include_directive : require
//
// limit.Fma: multiply-adds in registers and nothing else, 8 independent chains a thread. The
// factors come from outside, so that no compiler works them out.
#include "common.glsl"

layout(local_size_x = 256) in;

layout(push_constant) uniform Push {
  uint count;
  uint rounds;
  float factor;
  float addend;
} push;

layout(binding = 0) writeonly buffer Out { float target[]; };

void main() {
  uint i = group_index() * 256u + gl_LocalInvocationID.x;
  if (i >= push.count) return;
  vec4 a = vec4(0.0, 1.0, 2.0, 3.0);
  vec4 b = vec4(4.0, 5.0, 6.0, 7.0);
  for (uint r = 0u; r < push.rounds; r += 4u) {
    [[unroll]] for (uint k = 0u; k < 4u; ++k) {
      a = a * push.factor + push.addend;
      b = b * push.factor + push.addend;
    }
  }
  a += b;
  target[i] = a.x + a.y + a.z + a.w;
}
