#version 450
// BatchNormalization with given statistics: one element a thread, channels by place.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"
layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kTypes = 0;  // x and y, scale and bias, mean and variance
FLOATS(0, x)
FLOATS_IN(1, scale)
FLOATS_IN(2, bias)
FLOATS_IN(3, mean)
FLOATS_IN(4, variance)
FLOATS_OUT(5, y)
layout(push_constant) uniform P {
  uint elements, channels, spatial;
  float epsilon;
};

const uint kTypeX = kTypes & 255u, kTypeScale = kTypes >> 8 & 255u, kTypeMean = kTypes >> 16;

void main() {
  const uint i = group_index() * 256 + gl_LocalInvocationIndex;
  if (i >= elements) return;
  const uint c = i / spatial % channels;
  const float deviation = sqrt(LOAD_FLOAT(variance, kTypeMean, c) + epsilon);
  const float v = (LOAD_FLOAT(x, kTypeX, i) - LOAD_FLOAT(mean, kTypeMean, c)) / deviation;
  const float shifted = v * LOAD_FLOAT(scale, kTypeScale, c) + LOAD_FLOAT(bias, kTypeScale, c);
  STORE_FLOAT(y, kTypeX, i, shifted)
}
