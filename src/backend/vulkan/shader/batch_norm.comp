#version 450
// BatchNormalization with given statistics: one element a thread, channels by place.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 256) in;
layout(set = 0, binding = 0) readonly buffer X { float x[]; };
layout(set = 0, binding = 1) readonly restrict buffer S { float scale[]; };
layout(set = 0, binding = 2) readonly restrict buffer B { float bias[]; };
layout(set = 0, binding = 3) readonly restrict buffer M { float mean[]; };
layout(set = 0, binding = 4) readonly restrict buffer V { float variance[]; };
layout(set = 0, binding = 5) writeonly buffer Y { float y[]; };
layout(push_constant) uniform P {
  uint elements, channels, spatial;
  float epsilon;
};

void main() {
  const uint i = group_index() * 256 + gl_LocalInvocationIndex;
  if (i >= elements) return;
  const uint c = i / spatial % channels;
  y[i] = (x[i] - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c];
}
