#version 450
// Canary: no barrier between one wave's writes and another's reads.
#extension GL_KHR_shader_subgroup_basic : require
layout(local_size_x = 256) in;
layout(set = 0, binding = 0) readonly buffer In { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Out { float y[]; };
layout(push_constant) uniform Push { uint count; };
shared float part[256];

void main() {
  const uint id = gl_LocalInvocationID.x;
  const uint at = gl_GlobalInvocationID.x;
  part[id] = at < count ? x[at] : 0.0;
  for (uint n = 128; n > 0; n /= 2) {
    if (id < n) part[id] += part[id + n];
    barrier();
  }
  if (at < count) y[at] = part[0];
}
