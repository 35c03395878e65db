#version 450
// variants: to -DTO
// variants: from
// QuantizeLinear and DequantizeLinear with a scale for all, one an index of an axis, or one a block
// along it. x is [outer, axis, inner]; integers have 8 or 16 bits, dequantized ones up to 32.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "affine.glsl"
#include "elements.glsl"
#include "exact.glsl"
layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kMode = 0;
layout(constant_id = 1) const uint kHasZero = 0;
layout(constant_id = 2) const uint kTypes = 0;  // x, scale, y: a byte each; the zero point is as
                                                // the integers are
const uint kTypeX = kTypes & 255u, kTypeScale = kTypes >> 8 & 255u, kTypeY = kTypes >> 16;

BUFFER_IN(0, x)
FLOATS_IN(1, scale)
BUFFER_IN(2, zero)
BUFFER_AS(writeonly restrict, 3, y)
layout(push_constant) uniform P {
  uint elements, axis, inner, block;
};

void main() {
  const uint i = group_index() * 256 + gl_LocalInvocationIndex;
  if (i >= elements) return;
  const uint at = affine_index(kMode, i, axis, inner, block);
  const float s = LOAD_FLOAT(scale, kTypeScale, at);
#ifdef TO
  const bool wide = kTypeY == kTypeI16 || kTypeY == kTypeU16;
  float v = 0;
  if (kTypeX == kTypeI32) {
    v = float(int(x_w[i]));
  } else {
    v = LOAD_FLOAT(x, kTypeX, i);
  }
  int q = wide ? quantized_wide(v, s) : quantized(v, s);
  if (kHasZero != 0) q += int(LOAD_BITS(zero, kTypeY, at).x);
  if (wide) {
    const int low = kTypeY == kTypeI16 ? -32768 : 0;
    y_s[i] = uint16_t(uint(clamp(q, low, low + 65535)) & 0xFFFFu);
  } else {
    const int low = kTypeY == kTypeI8 ? -128 : 0;
    y_b[i] = uint8_t(uint(clamp(q, low, low + 255)) & 0xFFu);
  }
#else
  int q = int(LOAD_BITS(x, kTypeX, i).x);
  if (kHasZero != 0) q -= int(LOAD_BITS(zero, kTypeX, at).x);
  STORE_FLOAT(y, kTypeY, i, float(q) * s)
#endif
}
