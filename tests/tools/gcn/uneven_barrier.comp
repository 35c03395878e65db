#version 450
// Canary: the second wave leaves before a barrier that the first waits at.
layout(local_size_x = 128) in;
layout(set = 0, binding = 0) readonly buffer In { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Out { float y[]; };
layout(push_constant) uniform Push { uint count; };
shared float row[128];

void main() {
  const uint id = gl_LocalInvocationID.x;
  if (id >= 64) return;
  row[id] = x[gl_GlobalInvocationID.x];
  barrier();
  y[gl_GlobalInvocationID.x] = row[63 - id];
}
