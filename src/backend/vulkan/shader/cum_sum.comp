#version 450
#extension GL_GOOGLE_include_directive : require
// variants: f32 -DT=float -DZERO=0.0 -DCOMPENSATED
// variants: i32 -DT=int -DZERO=0
// variants: i64 -DT=int64_t -DZERO=int64_t(0) -DWIDE_INT
//
// CumSum: a thread walks one line of the axis; neighbours' lines lie side by side.
#include "common.glsl"
#ifdef WIDE_INT
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#endif

layout(local_size_x = 64) in;
layout(constant_id = 0) const uint EXCLUSIVE = 0;
layout(constant_id = 1) const uint REVERSE = 0;

layout(push_constant) uniform Push {
  uint lines;
  uint span;
  uvec2 inner_divisor;
  uint inner;
} push;

layout(binding = 0) readonly buffer In { T source[]; };
layout(binding = 1) writeonly buffer Out { T target[]; };

void main() {
  uint line = group_index() * 64u + gl_LocalInvocationID.x;
  if (line >= push.lines) return;
  uint outer = fast_div(line, push.inner_divisor);
  uint base = outer * push.span * push.inner + (line - outer * push.inner);
  T sum = ZERO;
#ifdef COMPENSATED
  precise float lost = 0.0;
#endif
  for (uint k = 0u; k < push.span; ++k) {
    uint i = base + (REVERSE != 0u ? push.span - 1u - k : k) * push.inner;
    T v = source[i];
    T before = sum;
#ifdef COMPENSATED
    precise float y = v - lost;
    precise float t = sum + y;
    lost = (t - sum) - y;
    sum = t;
#else
    sum += v;
#endif
    target[i] = EXCLUSIVE != 0u ? before : sum;
  }
}
