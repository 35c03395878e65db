#version 450
#extension GL_GOOGLE_include_directive : require
// variants: float -DDOMAIN_FLOAT
// variants: int
// variants: int64 -DDOMAIN_INT64
//
// CumSum: a thread walks one line of the axis; neighbours' lines lie side by side.
#include "common.glsl"
#include "elements.glsl"
#ifndef DOMAIN_FLOAT
#include "ints.glsl"
#endif

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint EXCLUSIVE = 0;
layout(constant_id = 1) const uint REVERSE = 0;
layout(constant_id = 2) const uint TYPE = 0;

layout(push_constant) uniform Push {
  uint lines;
  uint span;
  uvec2 inner_divisor;
  uint inner;
} push;

BUFFER(0, x)
BUFFER_OUT(1, y)

#ifdef DOMAIN_FLOAT
#define VALUE float
#define kInfinite uintBitsToFloat(0x7F800000u)
VALUE load(uint i) { return LOAD_FLOAT(x, TYPE, i); }
void store(uint i, VALUE v) { STORE_FLOAT(y, TYPE, i, v) }
#else
VALUE load(uint i) { return from_bits(TYPE, LOAD_BITS(x, TYPE, i)); }
void store(uint i, VALUE v) { STORE_BITS(y, TYPE, i, to_bits(v)) }
#endif

void main() {
  uint line = group_index() * 64u + gl_LocalInvocationID.x;
  if (line >= push.lines) return;
  uint outer = fast_div(line, push.inner_divisor);
  uint base = outer * push.span * push.inner + (line - outer * push.inner);
  VALUE sum = VALUE(0);
#ifdef DOMAIN_FLOAT
  precise float lost = 0.0;
#endif
  for (uint k = 0u; k < push.span; ++k) {
    uint i = base + (REVERSE != 0u ? push.span - 1u - k : k) * push.inner;
    VALUE v = load(i);
    VALUE before = sum;
#ifdef DOMAIN_FLOAT
    precise float y = v - lost;
    precise float t = sum + y;
    // Nothing is lost of an infinity, and it must not be taken from itself.
    lost = abs(t) < kInfinite ? (t - sum) - y : 0.0;
    sum = t;
#else
    sum += v;
#endif
    store(i, EXCLUSIVE != 0u ? before : sum);
  }
}
