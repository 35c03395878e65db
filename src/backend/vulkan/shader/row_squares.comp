#version 450
// Of every 32 elements of a row the sum of squares, a row's last ones being fewer. 8 threads share
// a sum.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(local_size_x = 256) in;
layout(set = 0, binding = 0) readonly restrict buffer X { float x[]; };
layout(set = 0, binding = 1) writeonly restrict buffer Y { float squares[]; };
layout(push_constant) uniform P {
  uint rows;
  uint size;  // of a row
  uint sums;  // of a row
};

shared float part[256];

void main() {
  const uint tid = gl_LocalInvocationIndex, lane = tid % 8;
  const uint group = gl_WorkGroupID.x * 32 + tid / 8, row = gl_WorkGroupID.y;
  float sum = 0;
  [[unroll]] for (uint i = 0; i < 4; i++) {
    const uint at = group * 32 + i * 8 + lane;
    if (at >= size) continue;
    const float v = x[row * size + at];
    sum += v * v;
  }
  part[tid] = sum;
  barrier();
  if (lane != 0 || group >= sums) return;
  [[unroll]] for (uint i = 1; i < 8; i++) sum += part[tid + i];
  squares[row * sums + group] = sum;
}
