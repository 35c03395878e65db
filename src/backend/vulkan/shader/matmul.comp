#version 450
// variants: float -DDOMAIN_FLOAT
// variants: int
// variants: int64 -DDOMAIN_INT64
// y[m, n] = alpha * a[m, k] @ b[k, n] + beta * c[m, n], everything by strides, batches in z: one
// column of b a lane, kRows rows of a from scalars, k dealt over the workgroup in 64s of threads.
// Floats may be of any width, each operand of its own; integers are all of one type, and wrap.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"
#include "slice.glsl"
#ifndef DOMAIN_FLOAT
#include "ints.glsl"
#endif
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 256;
layout(constant_id = 1) const uint kRows = 1;
layout(constant_id = 2) const uint kHasC = 0;
layout(constant_id = 3) const uint kRowMajorA = 1;  // a_k is 1: its loads can be joined

layout(constant_id = 4) const uint kTypes = 0;       // a, b, c, y: a byte each
const uint kTypeA = kTypes & 255u, kTypeB = kTypes >> 8 & 255u;
const uint kTypeC = kTypes >> 16 & 255u, kTypeY = kTypes >> 24;

#ifdef DOMAIN_FLOAT
FLOATS_IN(0, a)
FLOATS_IN(1, b)
FLOATS_IN(2, c)
FLOATS_AS(writeonly restrict, 3, y)
#define VALUE float
#define LOAD(NAME, TYPE, I) LOAD_FLOAT(NAME, TYPE, I)
#define STORE(I, V) STORE_FLOAT(y, kTypeY, I, V)
#else
BUFFER_IN(0, a)
BUFFER_IN(1, b)
BUFFER_IN(2, c)
BUFFER_AS(writeonly restrict, 3, y)
#define LOAD(NAME, TYPE, I) from_bits(TYPE, LOAD_BITS(NAME, TYPE, I))
#define STORE(I, V) STORE_BITS(y, kTypeY, I, to_bits(V))
#endif
layout(push_constant) uniform P {
  uint m, n, k;
  uint a_row, a_k;        // strides in elements
  uint b_k, b_column;
  uint c_row, c_column;
  float alpha, beta;
  uint batch0;            // first batch of this dispatch
  uint size1, size2;      // batch dims [.., size1, size2], strides outermost first
  uint a_batch0, a_batch1, a_batch2;
  uint b_batch0, b_batch1, b_batch2;
};

const uint kSlices = kThreads / 64;
const uint kStep = 4;
shared VALUE part[kSlices == 1 ? 1 : kThreads * kRows];

void main() {
  const uint lane = gl_LocalInvocationIndex & 63u;
  const uint slice = slice_of(kSlices);
  const uint batch = batch0 + gl_WorkGroupID.z;
  const uint i2 = batch % size2, i1 = batch / size2 % size1, i0 = batch / size2 / size1;
  const uint row0 = min(gl_WorkGroupID.x * kRows, m - kRows);
  const uint column = gl_WorkGroupID.y * 64 + lane;
  const uint a0 = i0 * a_batch0 + i1 * a_batch1 + i2 * a_batch2 + row0 * a_row;
  const uint b0 = i0 * b_batch0 + i1 * b_batch1 + i2 * b_batch2 + min(column, n - 1) * b_column;
  VALUE acc[kRows];
  [[unroll]] for (uint r = 0; r < kRows; r++) acc[r] = VALUE(0);
  const uint whole = k / kStep;
  for (uint u = slice; u < whole; u += kSlices) {
    VALUE bv[kStep];
    [[unroll]] for (uint i = 0; i < kStep; i++) bv[i] = LOAD(b, kTypeB, b0 + (u * kStep + i) * b_k);
    const uint step_a = kRowMajorA != 0 ? 1 : a_k;
    uint at = a0 + u * kStep * step_a;
    [[unroll]] for (uint r = 0; r < kRows; r++) {
      [[unroll]] for (uint i = 0; i < kStep; i++) {
        acc[r] += bv[i] * LOAD(a, kTypeA, at + i * step_a);
      }
      at += a_row;
    }
  }
  if (slice == 0) {
    for (uint i = whole * kStep; i < k; i++) {
      VALUE bv = LOAD(b, kTypeB, b0 + i * b_k);
      [[unroll]] for (uint r = 0; r < kRows; r++) {
        acc[r] += bv * LOAD(a, kTypeA, a0 + r * a_row + i * a_k);
      }
    }
  }
  if (kSlices > 1) {
    [[unroll]] for (uint r = 0; r < kRows; r++) part[(r * kSlices + slice) * 64 + lane] = acc[r];
    barrier();
  }
  [[unroll]] for (uint r = 0; r < kRows; r++) {
    if (r % kSlices == slice && column < n) {
      VALUE v = acc[r];
      if (kSlices > 1) {
        v = part[r * kSlices * 64 + lane];
        [[unroll]] for (uint i = 1; i < kSlices; i++) v += part[(r * kSlices + i) * 64 + lane];
      }
#ifdef DOMAIN_FLOAT
      v *= alpha;
#endif
      if (kHasC != 0) {
        VALUE cv = LOAD(c, kTypeC, (row0 + r) * c_row + column * c_column);
#ifdef DOMAIN_FLOAT
        cv *= beta;
#endif
        v += cv;
      }
      STORE((batch * m + row0 + r) * n + column, v)
    }
  }
}
