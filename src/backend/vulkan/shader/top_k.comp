#version 450
#extension GL_GOOGLE_include_directive : require
// variants: float -DDOMAIN_FLOAT
// variants: int
// variants: int64 -DDOMAIN_INT64
//
// TopK: each element counts the elements of its line that come before it; of the first k, that is
// their place. A thread an element, so that a line costs the square of its length.
#include "common.glsl"
#include "elements.glsl"
#ifndef DOMAIN_FLOAT
#include "ints.glsl"
#endif

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint TYPE = 0;
layout(constant_id = 1) const uint LARGEST = 1;

layout(push_constant) uniform Push {
  uint count;  // outer * span * inner
  uint span;   // of the axis
  uint inner;
  uint k;
} push;

BUFFER_IN(0, x)
BUFFER_OUT(1, y)
layout(binding = 2) writeonly restrict buffer Places { uvec2 places[]; };

#ifdef DOMAIN_FLOAT
// Floats as integers of the same order; zeros are equal, and a NaN is above every number.
#define VALUE int
VALUE load(uint i) {
  int bits = floatBitsToInt(LOAD_FLOAT(x, TYPE, i) + 0.0);
  if ((uint(bits) & 0x7FFFFFFFu) > 0x7F800000u) return 0x7FFFFFFF;
  return bits < 0 ? int(0x80000000u) - bits : bits;
}
bool above(VALUE a, VALUE b) { return a > b; }
#else
const bool UNSIGNED = WIDE_UNSIGNED(TYPE);
VALUE load(uint i) { return from_bits(TYPE, LOAD_BITS(x, TYPE, i)); }
bool above(VALUE a, VALUE b) { return UNSIGNED ? UVALUE(a) > UVALUE(b) : a > b; }
#endif

void main() {
  uint e = group_index() * 64u + gl_LocalInvocationID.x;
  if (e >= push.count) return;
  uint n = e % push.inner, own = e / push.inner % push.span;
  uint outer = e / push.inner / push.span;
  uint base = outer * push.span * push.inner + n;
  VALUE v = load(e);
  uint place = 0u;
  for (uint i = 0u; i < push.span; ++i) {
    VALUE other = load(base + i * push.inner);
    bool first = LARGEST != 0u ? above(other, v) : above(v, other);
    if (first || (other == v && i < own)) ++place;
  }
  if (place >= push.k) return;
  uint to = (outer * push.k + place) * push.inner + n;
  STORE_BITS(y, TYPE, to, LOAD_BITS(x, TYPE, e))
  places[to] = uvec2(own, 0u);
}
