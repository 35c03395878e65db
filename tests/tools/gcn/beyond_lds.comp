#version 450
// Canary: the last thread writes one element beyond its workgroup's local memory.
layout(local_size_x = 128) in;
layout(set = 0, binding = 0) readonly buffer In { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Out { float y[]; };
layout(push_constant) uniform Push { uint count; };
shared float row[128];

void main() {
  const uint id = gl_LocalInvocationID.x;
  row[id] = 0.0;
  barrier();
  row[id + 1] = x[gl_GlobalInvocationID.x];
  barrier();
  y[gl_GlobalInvocationID.x] = row[id];
}
