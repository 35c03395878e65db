#version 450
// Normalizations whose statistics run over contiguous rows, a workgroup a row:
// RMSNormalization, LayerNormalization and, with a scale per channel, Instance and Group ones.
// Floats of any width; the statistics are fp32.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 256;
layout(constant_id = 1) const uint kCentred = 0;     // take the mean off
layout(constant_id = 2) const uint kHasBias = 0;
layout(constant_id = 3) const uint kPerChannel = 0;  // scale by channel, not by place in the row
layout(constant_id = 4) const uint kTypes = 0;       // x, scale, bias, y: a byte each
layout(constant_id = 5) const uint kStatistics = 0;  // 1: the mean is wanted, 2: the inverse too
#include "row_sum.glsl"

FLOATS(0, x)
FLOATS_IN(1, scale)
FLOATS_IN(2, bias)
FLOATS_OUT(3, y)
layout(binding = 4) writeonly restrict buffer M { float means[]; };
layout(binding = 5) writeonly restrict buffer D { float inverses[]; };
layout(push_constant) uniform P {
  uint rows;
  uint size;       // of a row
  uint scales;     // 1: the same for all; else one each place, or channels of all rows of an item
  uint spatial;    // elements of a channel
  float epsilon;
};

const uint kTypeX = kTypes & 255u, kTypeScale = kTypes >> 8 & 255u;
const uint kTypeBias = kTypes >> 16 & 255u, kTypeY = kTypes >> 24;

void main() {
  const uint row = group_index();
  if (row >= rows) return;
  const uint base = row * size, tid = gl_LocalInvocationIndex;
  float mean = 0;
  if (kCentred != 0) {
    float sum = 0;
    for (uint i = tid; i < size; i += kThreads) sum += LOAD_FLOAT(x, kTypeX, base + i);
    mean = row_reduce(sum, false) / float(size);
  }
  float squares = 0;
  for (uint i = tid; i < size; i += kThreads) {
    float v = LOAD_FLOAT(x, kTypeX, base + i) - mean;
    squares += v * v;
  }
  const float inverse = 1.0 / sqrt(row_reduce(squares, false) / float(size) + epsilon);
  for (uint i = tid; i < size; i += kThreads) {
    uint at = kPerChannel != 0 ? (base + i) / spatial % scales : (scales == 1 ? 0 : i);
    float v = (LOAD_FLOAT(x, kTypeX, base + i) - mean) * inverse;
    v *= LOAD_FLOAT(scale, kTypeScale, at);
    if (kHasBias != 0) v += LOAD_FLOAT(bias, kTypeBias, at);
    STORE_FLOAT(y, kTypeY, base + i, v)
  }
  if (tid == 0 && (kStatistics & 1u) != 0) means[row] = mean;
  if (tid == 0 && (kStatistics & 2u) != 0) inverses[row] = inverse;
}
