#version 450
// GlobalMaxPool and GlobalAveragePool: a workgroup a plane, its threads side by side in it; with
// channels last 64 channels side by side, the places dealt over the workgroup's slices.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 256;
layout(constant_id = 1) const uint kAverage = 0;
layout(constant_id = 2) const uint kLast = 0;
layout(constant_id = 3) const uint kType = 0;
#include "exact.glsl"
#include "row_sum.glsl"

FLOATS_IN(0, x)
FLOATS_AS(writeonly restrict, 1, y)
layout(push_constant) uniform P {
  uint groups;  // planes, or with channels last images * blocks of channels
  uint channels;
  uint area;    // elements of a plane
};

float start() { return kAverage != 0 ? 0.0 : uintBitsToFloat(0xFF800000u); }
bool is_nan(float v) { return (floatBitsToUint(v) & 0x7FFFFFFFu) > 0x7F800000u; }
float join(float a, float b) {
  if (kAverage != 0) return a + b;
  return a > b || is_nan(a) ? a : b;
}
float finish(float v) { return kAverage != 0 ? exact_div(v, float(area)) : v; }

void main() {
  const uint group = group_index(), tid = gl_LocalInvocationIndex;
  if (group >= groups) return;
  float v = start();
  if (kLast == 0) {
    for (uint i = tid; i < area; i += kThreads) v = join(v, LOAD_FLOAT(x, kType, group * area + i));
    v = row_reduce_nan(v, kAverage == 0);
    if (tid == 0) STORE_FLOAT(y, kType, group, finish(v));
    return;
  }
  const uint blocks = (channels + 63) / 64, image = group / blocks;
  const uint channel = group % blocks * 64 + (tid & 63u);
  const uint from = image * area * channels + min(channel, channels - 1);
  for (uint i = tid >> 6; i < area; i += kThreads / 64) {
    v = join(v, LOAD_FLOAT(x, kType, from + i * channels));
  }
  row_part[tid] = v;
  barrier();
  if (tid < 64 && channel < channels) {
    for (uint s = 64; s < kThreads; s += 64) v = join(v, row_part[tid + s]);
    STORE_FLOAT(y, kType, image * channels + channel, finish(v));
  }
}
