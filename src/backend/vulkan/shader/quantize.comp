#version 450
// variants: to_i8 -DTO
// variants: from_i8 -DFROM=uint8_t -DWIDEN(v)=widen(uint(v))
// variants: from_i32 -DFROM=int -DWIDEN(v)=(v)
// QuantizeLinear and DequantizeLinear with a scale for all, one an index of an axis, or one a block
// along it. x is [outer, axis, inner].
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "exact.glsl"
layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kMode = 0;     // 0 one scale, 1 by axis, 2 by block
layout(constant_id = 1) const uint kSigned = 0;   // the 8-bit type is int8
layout(constant_id = 2) const uint kHasZero = 0;

#ifdef TO
layout(set = 0, binding = 0) readonly restrict buffer X { float x[]; };
layout(set = 0, binding = 2) readonly restrict buffer Z { uint8_t zero[]; };
layout(set = 0, binding = 3) writeonly restrict buffer Y { uint8_t y[]; };
#else
layout(set = 0, binding = 0) readonly restrict buffer X { FROM x[]; };
layout(set = 0, binding = 2) readonly restrict buffer Z { FROM zero[]; };
layout(set = 0, binding = 3) writeonly restrict buffer Y { float y[]; };
#endif
layout(set = 0, binding = 1) readonly restrict buffer S { float scale[]; };
layout(push_constant) uniform P {
  uint elements, axis, inner, block;
};

int widen(uint v) { return kSigned != 0 ? bitfieldExtract(int(v), 0, 8) : int(v); }

uint scale_index(uint i) {
  if (kMode == 0) return 0;
  const uint along = i / inner % axis;
  if (kMode == 1) return along;
  const uint blocks = (axis + block - 1) / block;
  return (i / inner / axis * blocks + along / block) * inner + i % inner;
}

void main() {
  const uint i = group_index() * 256 + gl_LocalInvocationIndex;
  if (i >= elements) return;
  const uint at = scale_index(i);
#ifdef TO
  int q = quantized(x[i], scale[at]);
  if (kHasZero != 0) q += widen(uint(zero[at]));
  y[i] = uint8_t(uint(kSigned != 0 ? clamp(q, -128, 127) & 255 : clamp(q, 0, 255)));
#else
  int q = WIDEN(x[i]);
  if (kHasZero != 0) q -= WIDEN(zero[at]);
  y[i] = float(q) * scale[at];
#endif
}
