#version 450
// Canary: takes a subgroup to have 32 lanes. On 64 lanes half of `part` stays unwritten.
#extension GL_KHR_shader_subgroup_basic : require
layout(local_size_x = 256) in;
layout(set = 0, binding = 0) readonly buffer In { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Out { float y[]; };
layout(push_constant) uniform Push { uint count; };
shared float part[8];

void main() {
  const uint at = gl_GlobalInvocationID.x;
  if (subgroupElect()) part[gl_SubgroupID] = x[at];
  barrier();
  float sum = 0.0;
  for (uint i = 0; i < 256 / 32; ++i) sum += part[i];
  if (at < count) y[at] = sum;
}
