#version 450
#extension GL_GOOGLE_include_directive : require
// variants: b1 -DT=uint8_t
// variants: b2 -DT=uint16_t
// variants: b4 -DT=uint
// variants: b8 -DT=uvec2
//
// GatherElements, GatherND, ScatterElements and ScatterND: one side of a move is addressed through
// indices. FORM 0 (elements): the index tensor has the moved elements' shape and replaces the
// coordinate of one axis. FORM 1 (tuples): each tuple of DIMS indices names a run of `inner`.
#include "common.glsl"
#include "index.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 1) const uint FORM = 0;
layout(constant_id = 2) const uint SCATTER = 0;
layout(constant_id = 3) const uint DIMS = 1;

layout(push_constant) uniform Push {
  uint count;          // moved elements
  uint inner;          // tuples: elements per tuple
  uvec2 inner_divisor;
  uvec2 batch_divisor; // tuples per batch
  uint batch_stride;   // elements of the indexed tensor per batch
  uint axis;           // elements: which of dims is indexed
} push;

layout(binding = 0) readonly buffer In { T source[]; };
INDEX_BUFFER(1)
layout(binding = 2) writeonly buffer Out { T target[]; };
// Elements: loops of the index tensor, innermost first. Tuples: dims that the indices address.
struct Dim {
  uint multiplier;
  uint shift;
  uint size;     // of the index tensor (elements), of the indexed tensor (tuples)
  uint stride;   // of the indexed tensor
  uint indexed;  // elements: size of the indexed tensor's dim
};
layout(binding = 3) readonly buffer Dims { Dim dims[]; };

void main() {
  uint e = group_index() * 256u + gl_LocalInvocationID.x;
  if (e >= push.count) return;
  uint at = 0u;
  if (FORM == 0u) {
    uint rest = e;
    [[unroll]] for (uint d = 0u; d < DIMS; ++d) {
      uint next = fast_div(rest, uvec2(dims[d].multiplier, dims[d].shift));
      uint here = rest - next * dims[d].size;
      if (d == push.axis) here = INDEX(e, dims[d].indexed);
      at += here * dims[d].stride;
      rest = next;
    }
  } else {
    uint tuple = fast_div(e, push.inner_divisor);
    at = e - tuple * push.inner + fast_div(tuple, push.batch_divisor) * push.batch_stride;
    [[unroll]] for (uint d = 0u; d < DIMS; ++d) {
      at += INDEX(tuple * DIMS + d, dims[d].size) * dims[d].stride;
    }
  }
  if (SCATTER != 0u) {
    target[at] = source[e];
  } else {
    target[e] = source[at];
  }
}
