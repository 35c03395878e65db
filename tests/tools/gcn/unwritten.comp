#version 450
// Canary: sums a whole row of local memory of which only the first half was written.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer In { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Out { float y[]; };
layout(push_constant) uniform Push { uint count; };
shared float row[128];

void main() {
  const uint id = gl_LocalInvocationID.x;
  row[id] = x[gl_GlobalInvocationID.x];
  barrier();
  y[gl_GlobalInvocationID.x] = row[(id * 2 + count) % 128];
}
