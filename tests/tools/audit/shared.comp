#version 450
// A canary: 48 KiB of LDS, which RADV would take and the Windows driver would not.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data { float data[]; };
shared float tile[12288];

void main() {
  uint lane = gl_LocalInvocationID.x;
  for (uint i = lane; i < 12288; i += 64) tile[i] = data[i];
  barrier();
  data[lane] = tile[(lane * 977u) % 12288u];
}
