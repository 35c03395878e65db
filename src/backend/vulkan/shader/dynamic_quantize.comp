#version 450
// variants: range -DRANGE
// variants: scale -DSCALE
// variants: apply -DAPPLY
// DynamicQuantizeLinear in three dispatches: the range of each part of x, the scale and zero point
// of all, then the quantized elements.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "exact.glsl"
layout(local_size_x = 256) in;

layout(set = 0, binding = 0) readonly restrict buffer X { float x[]; };
layout(set = 0, binding = 1) buffer R { vec2 ranges[]; };
layout(set = 0, binding = 2) buffer S { float scale[]; };
layout(set = 0, binding = 3) buffer Z { uint8_t zero[]; };
layout(set = 0, binding = 4) writeonly restrict buffer Y { uint8_t y[]; };
layout(push_constant) uniform P {
  uint elements;
  uint parts;
};

#ifdef APPLY
void main() {
  const uint i = group_index() * 256 + gl_LocalInvocationIndex;
  if (i >= elements) return;
  const float s = scale[0];
  int q = quantized(x[i], s) + int(zero[0]);
  y[i] = uint8_t(uint(clamp(q, 0, 255)));
}
#else
shared vec2 part[256];

// What is no number is left out.
vec2 widened(vec2 range, float v) {
  if ((floatBitsToUint(v) & 0x7FFFFFFFu) > 0x7F800000u) return range;
  return vec2(min(range.x, v), max(range.y, v));
}

// x: the least, y: the most; zero is always inside.
vec2 reduce(vec2 range) {
  const uint tid = gl_LocalInvocationIndex;
  part[tid] = range;
  barrier();
  for (uint step = 128; step > 0; step /= 2) {
    if (tid < step) {
      part[tid] = vec2(min(part[tid].x, part[tid + step].x), max(part[tid].y, part[tid + step].y));
    }
    barrier();
  }
  return part[0];
}

void main() {
  const uint tid = gl_LocalInvocationIndex;
  vec2 range = vec2(0);
#ifdef RANGE
  for (uint i = gl_WorkGroupID.x * 256 + tid; i < elements; i += parts * 256) {
    range = widened(range, x[i]);
  }
  range = reduce(range);
  if (tid == 0) ranges[gl_WorkGroupID.x] = range;
#else
  for (uint i = tid; i < parts; i += 256) {
    range = vec2(min(range.x, ranges[i].x), max(range.y, ranges[i].y));
  }
  range = reduce(range);
  if (tid == 0) {
    precise float width = range.y - range.x;
    // Nothing but zeros: any scale will do, and the host's is 1.
    const float s = width > 0 ? exact_div(width, 255.0) : 1.0;
    scale[0] = s;
    zero[0] = uint8_t(uint(clamp(quantized(-range.x, s), 0, 255)));
  }
#endif
}
#endif
