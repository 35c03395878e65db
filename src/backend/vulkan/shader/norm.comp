#version 450
// Normalizations whose statistics run over contiguous rows, a workgroup a row:
// RMSNormalization, LayerNormalization and, with a scale per channel, Instance and Group ones.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 256;
layout(constant_id = 1) const uint kCentred = 0;     // take the mean off
layout(constant_id = 2) const uint kHasBias = 0;
layout(constant_id = 3) const uint kPerChannel = 0;  // scale by channel, not by place in the row
#include "row_sum.glsl"

layout(set = 0, binding = 0) readonly buffer X { float x[]; };
layout(set = 0, binding = 1) readonly restrict buffer S { float scale[]; };
layout(set = 0, binding = 2) readonly restrict buffer B { float bias[]; };
layout(set = 0, binding = 3) writeonly buffer Y { float y[]; };
layout(push_constant) uniform P {
  uint rows;
  uint size;       // of a row
  uint scales;     // 1: the same for all; else one each place, or channels of all rows of an item
  uint spatial;    // elements of a channel
  float epsilon;
};

void main() {
  const uint row = group_index();
  if (row >= rows) return;
  const uint base = row * size, tid = gl_LocalInvocationIndex;
  float mean = 0;
  if (kCentred != 0) {
    float sum = 0;
    for (uint i = tid; i < size; i += kThreads) sum += x[base + i];
    mean = row_reduce(sum, false) / float(size);
  }
  float squares = 0;
  for (uint i = tid; i < size; i += kThreads) {
    float v = x[base + i] - mean;
    squares += v * v;
  }
  const float inverse = 1.0 / sqrt(row_reduce(squares, false) / float(size) + epsilon);
  for (uint i = tid; i < size; i += kThreads) {
    uint at = kPerChannel != 0 ? (base + i) / spatial % scales : (scales == 1 ? 0 : i);
    float v = (x[base + i] - mean) * inverse * scale[at];
    if (kHasBias != 0) v += bias[at];
    y[base + i] = v;
  }
}
