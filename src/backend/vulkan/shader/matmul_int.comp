#version 450
// variants: i32 -DY_TYPE=int
// variants: i8 -DY_TYPE=uint8_t -DREQUANTIZE
// y[m, n] = (a[m, k] - za) @ (b[k, n] - zb) of 8-bit integers, batches in z: one column of b a
// lane, kRows rows of a. The products go through fp32, 256 of them adding up exactly before they
// are moved to int32.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kRows = 8;
layout(constant_id = 1) const uint kSigned = 0;  // 1 a, 2 b, 4 y
layout(constant_id = 2) const uint kZeros = 0;   // 1 one za, 2 a za per row, 4 one zb, 8 per column
layout(constant_id = 3) const uint kPerColumn = 0;  // multipliers

layout(set = 0, binding = 0) readonly restrict buffer A { uint8_t a[]; };
layout(set = 0, binding = 1) readonly restrict buffer B { uint8_t b[]; };
layout(set = 0, binding = 2) readonly restrict buffer ZA { uint8_t za[]; };
layout(set = 0, binding = 3) readonly restrict buffer ZB { uint8_t zb[]; };
layout(set = 0, binding = 4) readonly restrict buffer M { float multiplier[]; };
layout(set = 0, binding = 5) writeonly restrict buffer Y { Y_TYPE y[]; };
layout(push_constant) uniform P {
  uint m, n, k;
  uint size1, size2;  // batch dims [.., size1, size2], strides outermost first
  uint a_batch0, a_batch1, a_batch2;
  uint b_batch0, b_batch1, b_batch2;
  int y_zero;
};

const uint kExact = 256;

float widen(uint v, uint flag) {
  return float((kSigned & flag) != 0 ? bitfieldExtract(int(v), 0, 8) : int(v));
}

uint store(int v, uint column) {
#ifdef REQUANTIZE
  float scaled = roundEven(float(v) * multiplier[kPerColumn != 0 ? column : 0]);
  int q = int(clamp(scaled, -1.0e6, 1.0e6)) + y_zero;
  return uint((kSigned & 4u) != 0 ? clamp(q, -128, 127) & 255 : clamp(q, 0, 255));
#else
  return uint(v);
#endif
}

void main() {
  const uint batch = gl_WorkGroupID.z;
  const uint i2 = batch % size2, i1 = batch / size2 % size1, i0 = batch / size2 / size1;
  const uint row0 = min(gl_WorkGroupID.x * kRows, m - kRows);
  const uint column = gl_WorkGroupID.y * 64 + gl_LocalInvocationIndex;
  const uint at = min(column, n - 1);
  const uint a0 = i0 * a_batch0 + i1 * a_batch1 + i2 * a_batch2 + row0 * k;
  const uint b0 = i0 * b_batch0 + i1 * b_batch1 + i2 * b_batch2 + at;
  float a_zero[kRows], b_zero = 0;
  if ((kZeros & 12u) != 0) b_zero = widen(uint(zb[(kZeros & 8u) != 0 ? at : 0]), 2);
  float acc[kRows];
  int total[kRows];
  [[unroll]] for (uint r = 0; r < kRows; r++) {
    a_zero[r] = 0;
    if ((kZeros & 3u) != 0) a_zero[r] = widen(uint(za[(kZeros & 2u) != 0 ? row0 + r : 0]), 1);
    acc[r] = 0;
    total[r] = 0;
  }
  for (uint base = 0; base < k; base += kExact) {
    for (uint i = base; i < min(base + kExact, k); i++) {
      float bv = widen(uint(b[b0 + i * n]), 2) - b_zero;
      [[unroll]] for (uint r = 0; r < kRows; r++) {
        acc[r] += (widen(uint(a[a0 + r * k + i]), 1) - a_zero[r]) * bv;
      }
    }
    [[unroll]] for (uint r = 0; r < kRows; r++) {
      total[r] += int(acc[r]);
      acc[r] = 0;
    }
  }
  if (column < n) {
    [[unroll]] for (uint r = 0; r < kRows; r++) {
      y[(batch * m + row0 + r) * n + column] = Y_TYPE(store(total[r], column));
    }
  }
}
