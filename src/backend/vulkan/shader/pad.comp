#version 450
#extension GL_GOOGLE_include_directive : require
// variants: b1 -DT=uint8_t
// variants: b2 -DT=uint16_t
// variants: b4 -DT=uint
// variants: b8 -DT=uvec2
//
// Pad: each output element takes the input element that its mode names, or the fill value.
#include "common.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint DIMS = 1;
layout(constant_id = 1) const uint MODE = 0;  // 0 constant, 1 edge, 2 reflect, 3 wrap

layout(push_constant) uniform Push { uint count; } push;

layout(binding = 0) readonly buffer In { T source[]; };
layout(binding = 1) readonly buffer Fill { T fill[]; };
layout(binding = 2) writeonly buffer Out { T target[]; };
struct Dim {
  uint multiplier;
  uint shift;
  uint size;
  uint stride;
  int size_in;
  int low;
};
layout(binding = 3) readonly buffer Dims { Dim dims[]; };

// True modulus of a by n > 0, a of any sign.
int modulus(int a, int n) {
  int r = a - (a / n) * n;
  return r < 0 ? r + n : r;
}

void main() {
  uint i = group_index() * 256u + gl_LocalInvocationID.x;
  if (i >= push.count) return;
  uint from = 0u;
  bool outside = false;
  uint rest = i;
  [[unroll]] for (uint d = 0u; d < DIMS; ++d) {
    uint next = fast_div(rest, uvec2(dims[d].multiplier, dims[d].shift));
    int n = dims[d].size_in;
    int at = int(rest - next * dims[d].size) - dims[d].low;
    if (MODE == 0u) {
      outside = outside || at < 0 || at >= n;
    } else if (MODE == 1u) {
      at = clamp(at, 0, n - 1);
    } else if (MODE == 2u) {
      int period = max(2 * (n - 1), 1);
      at = modulus(at, period);
      at = at >= n ? period - at : at;
    } else {
      at = modulus(at, n);
    }
    from += uint(at) * dims[d].stride;
    rest = next;
  }
  if (outside) {
    target[i] = fill[0];
  } else {
    target[i] = source[from];
  }
}
