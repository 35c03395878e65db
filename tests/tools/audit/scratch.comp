#version 450
// A canary: an array indexed at run time lives in scratch memory, so the audit must refuse it.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data { float data[]; };

void main() {
  float kept[320];
  uint at = gl_GlobalInvocationID.x;
  for (uint i = 0; i < 320; ++i) kept[i] = data[i * 4096u + at];
  barrier();
  memoryBarrierBuffer();
  for (uint i = 0; i < 320; ++i) data[((i * 7u) % 320u) * 4096u + at] = kept[319u - i] * kept[i];
}
