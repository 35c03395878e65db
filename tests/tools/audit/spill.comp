#version 450
#extension GL_EXT_control_flow_attributes : require
// A canary: 320 values live across a barrier do not fit 256 registers, so the audit must refuse it.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Data { float data[]; };

void main() {
  float kept[320];
  uint at = gl_GlobalInvocationID.x;
  [[unroll]] for (uint i = 0; i < 320; ++i) kept[i] = data[i * 4096u + at];
  memoryBarrierBuffer();
  barrier();
  [[unroll]] for (uint i = 0; i < 320; ++i) data[i * 4096u + at] = kept[319u - i] * kept[i];
}
