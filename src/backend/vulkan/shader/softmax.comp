#version 450
// Softmax, LogSoftmax and Hardmax along an axis: x is [outer, size, inner]. With inner 1 a
// workgroup takes a row; else a thread takes a column, neighbours reading side by side.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const uint kThreads = 256;
layout(constant_id = 1) const uint kMode = 0;     // 0 softmax, 1 log, 2 hard
layout(constant_id = 2) const uint kColumns = 0;  // 1: a thread a column
layout(constant_id = 3) const uint kType = 0;     // of x and y
#include "row_sum.glsl"

FLOATS(0, x)
FLOATS_OUT(1, y)
layout(push_constant) uniform P {
  uint lines;  // outer * inner
  uint size;
  uint inner;
};

#define kLowest uintBitsToFloat(0xFF800000u)

float load(uint i) { return LOAD_FLOAT(x, kType, i); }
void store(uint i, float v) { STORE_FLOAT(y, kType, i, v) }

bool is_nan(float v) { return (floatBitsToUint(v) & 0x7FFFFFFFu) > 0x7F800000u; }

float finish(float v, float peak, float sum) {
  if (kMode == 1) return v - peak - log(sum);
  return exp(v - peak) / sum;
}

void column(uint line) {
  const uint base = line / inner * size * inner + line % inner;
  float peak = kLowest, sum = 0;
  uint first = 0;
  for (uint i = 0; i < size; i++) {
    float v = load(base + i * inner);
    if (v > peak) {
      peak = v;
      first = i;
    }
  }
  if (kMode == 2) {
    for (uint i = size; i-- > 0;) first = is_nan(load(base + i * inner)) ? i : first;
  }
  if (kMode != 2) {
    for (uint i = 0; i < size; i++) sum += exp(load(base + i * inner) - peak);
  }
  for (uint i = 0; i < size; i++) {
    uint at = base + i * inner;
    store(at, kMode == 2 ? (i == first ? 1.0 : 0.0) : finish(load(at), peak, sum));
  }
}

void row(uint line) {
  const uint base = line * size, tid = gl_LocalInvocationIndex;
  float peak = kLowest, sum = 0;
  for (uint i = tid; i < size; i += kThreads) peak = max(peak, load(base + i));
  peak = row_reduce(peak, true);
  if (kMode == 2) {
    // The first NaN, or of equal maxima the first: indices below 2^24 are exact as floats.
    float first = kLowest, first_nan = kLowest;
    for (uint i = tid; i < size; i += kThreads) {
      if (load(base + i) == peak) first = max(first, -float(i));
    }
    for (uint i = tid; i < size; i += kThreads) {
      if (is_nan(load(base + i))) first_nan = max(first_nan, -float(i));
    }
    first = row_reduce(first, true);
    first_nan = row_reduce(first_nan, true);
    if (first_nan != kLowest) first = first_nan;
    for (uint i = tid; i < size; i += kThreads) store(base + i, float(i) == -first ? 1.0 : 0.0);
    return;
  }
  for (uint i = tid; i < size; i += kThreads) sum += exp(load(base + i) - peak);
  sum = row_reduce(sum, false);
  for (uint i = tid; i < size; i += kThreads) store(base + i, finish(load(base + i), peak, sum));
}

void main() {
  if (kColumns != 0) {
    uint line = group_index() * kThreads + gl_LocalInvocationIndex;
    if (line < lines) column(line);
  } else {
    uint line = group_index();
    if (line < lines) row(line);
  }
}
