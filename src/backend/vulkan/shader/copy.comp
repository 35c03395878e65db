#version 450
#extension GL_GOOGLE_include_directive : require
// variants: b1 -DT=uint8_t
// variants: b2 -DT=uint16_t
// variants: b4 -DT=uint
// variants: b8 -DT=uvec2
// variants: b16 -DT=uvec4
//
// Moves elements of one size between two strided index spaces. Each thread does four, 256 apart.
#include "common.glsl"
#include "opcode.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint DIMS = 0;  // loops that both sides need strides for
layout(constant_id = 1) const uint MODE_IN = 0;
layout(constant_id = 2) const uint MODE_OUT = 0;

layout(push_constant) uniform Push {
  uint count;
  uint base_in;
  uint base_out;
} push;

layout(binding = 0) readonly buffer In { T source[]; };
layout(binding = 1) writeonly buffer Out { T target[]; };
struct Dim {
  uint multiplier;
  uint shift;
  uint size;
  uint stride_in;
  uint stride_out;
};
layout(binding = 2) readonly buffer Dims { Dim dims[]; };

void main() {
  uint first = group_index() * 1024u + gl_LocalInvocationID.x;
  [[unroll]] for (uint k = 0u; k < 4u; ++k) {
    uint i = first + k * 256u;
    if (i < push.count) {
      uint from = push.base_in + (MODE_IN == kModeSame ? i : 0u);
      uint to = push.base_out + (MODE_OUT == kModeSame ? i : 0u);
      uint rest = i;
      [[unroll]] for (uint d = 0u; d < DIMS; ++d) {
        uint next = fast_div(rest, uvec2(dims[d].multiplier, dims[d].shift));
        uint at = rest - next * dims[d].size;
        if (MODE_IN == kModeStrided) from += at * dims[d].stride_in;
        if (MODE_OUT == kModeStrided) to += at * dims[d].stride_out;
        rest = next;
      }
      target[to] = source[from];
    }
  }
}
