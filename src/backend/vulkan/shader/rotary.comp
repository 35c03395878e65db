#version 450
// RotaryEmbedding, one pair of elements a thread, so that y may be x; what is not rotated goes in
// pairs too. x is [batch, heads, positions, head] by strides: rank 3 and rank 4 are one.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "elements.glsl"
layout(local_size_x = 64) in;
layout(constant_id = 0) const uint kInterleaved = 0;
layout(constant_id = 1) const uint kPositionWords = 0;  // of an id: 0 none, 1 int32, 2 int64
layout(constant_id = 2) const uint kTypes = 0;          // x and y, cosines, sines: a byte each

FLOATS(0, x)
FLOATS_IN(1, cosines)
FLOATS_IN(2, sines)
layout(set = 0, binding = 3) readonly restrict buffer I { uint ids[]; };
FLOATS_OUT(4, y)
// A position out of range.
layout(set = 0, binding = 5) writeonly restrict buffer R { int status; };
layout(push_constant) uniform P {
  uint vectors;          // batch * heads * positions
  uint heads;
  uint positions;
  uint head;             // elements of a head
  uint rotary;           // of them rotated, even
  uint head_stride;
  uint position_stride;
  uint table_rows;
};

const uint kTypeX = kTypes & 255u, kTypeCos = kTypes >> 8 & 255u, kTypeSin = kTypes >> 16;

float load(uint i) { return LOAD_FLOAT(x, kTypeX, i); }
void store(uint i, float v) { STORE_FLOAT(y, kTypeX, i, v) }

void main() {
  const uint pairs = rotary / 2, pair = gl_WorkGroupID.x * 64 + gl_LocalInvocationIndex;
  const uint vector = gl_WorkGroupID.z * gl_NumWorkGroups.y + gl_WorkGroupID.y;
  if (vector >= vectors) return;
  const uint position = vector % positions, rest = vector / positions;
  const uint h = rest % heads, batch = rest / heads;
  const uint base = batch * heads * positions * head + h * head_stride + position * position_stride;
  if (pair >= pairs) {
    for (uint d = 2 * pair; d < min(2 * pair + 2, head); d++) store(base + d, load(base + d));
    return;
  }
  uint row = batch * positions + position;
  if (kPositionWords != 0) {
    const uint high = kPositionWords == 2 ? ids[row * 2 + 1] : 0u;
    row = ids[row * kPositionWords];
    if (row >= table_rows || high != 0u) {
      // What it is, saturated to 32 bits.
      status = kPositionWords == 2 && high != uint(int(row) >> 31)
                   ? (int(high) < 0 ? int(0x80000000u) : 0x7FFFFFFF)
                   : int(row);
      row = table_rows - 1;
    }
  }
  const float c = LOAD_FLOAT(cosines, kTypeCos, row * pairs + pair);
  const float s = LOAD_FLOAT(sines, kTypeSin, row * pairs + pair);
  const uint first = base + (kInterleaved != 0 ? 2 * pair : pair);
  const uint second = first + (kInterleaved != 0 ? 1 : pairs);
  const float a = load(first), b = load(second);
  store(first, a * c - b * s);
  store(second, a * s + b * c);
}
