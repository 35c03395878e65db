#version 450
// Canary: the last thread stores one element beyond the buffer.
layout(local_size_x = 256) in;
layout(set = 0, binding = 0) readonly buffer In { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Out { float y[]; };
layout(push_constant) uniform Push { uint count; };

void main() {
  const uint at = gl_GlobalInvocationID.x;
  if (at <= count) y[at + 1] = x[at];
}
