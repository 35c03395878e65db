#version 450
// Canary: all waves write one word of local memory between two barriers.
layout(local_size_x = 256) in;
layout(set = 0, binding = 0) readonly buffer In { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Out { float y[]; };
layout(push_constant) uniform Push { uint count; };
shared float last[64];

void main() {
  const uint at = gl_GlobalInvocationID.x;
  last[gl_LocalInvocationID.x % 64] = x[at];
  barrier();
  if (at < count) y[at] = last[63 - gl_LocalInvocationID.x % 64];
}
