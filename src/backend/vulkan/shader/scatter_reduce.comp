#version 450
#extension GL_GOOGLE_include_directive : require
// variants: float -DDOMAIN_FLOAT
// variants: int
// variants: int64 -DDOMAIN_INT64
//
// ScatterElements and ScatterND with a reduction: a thread takes all updates that may meet in one
// element, in index order, so that nothing is atomic and floats add up the same in every run.
// FORM 0 (elements): a thread a line along the axis. FORM 1 (tuples): a thread a place in a run.
#include "common.glsl"
#include "elements.glsl"
#include "index.glsl"
#ifndef DOMAIN_FLOAT
#include "ints.glsl"
#endif

layout(local_size_x = 64) in;
layout(constant_id = 1) const uint FORM = 0;
layout(constant_id = 2) const uint REDUCTION = 0;  // 0 add, 1 mul, 2 max, 3 min
layout(constant_id = 3) const uint DIMS = 1;
layout(constant_id = 4) const uint TYPE = 0;

layout(push_constant) uniform Push {
  uint lines;          // threads
  uint updates;        // of one thread
  uint index_stride;   // elements: of the axis in the index tensor; tuples: elements of a run
  uint target_stride;  // elements: of the axis in the target
  uint axis_size;      // elements: of the target
} push;

BUFFER_IN(0, updates)
INDEX_BUFFER(1)
BUFFER_AS(restrict, 2, y)
// Elements: the other dims of the index tensor, innermost first. Tuples: dims that indices address.
struct Dim {
  uint multiplier;
  uint shift;
  uint size;
  uint from;  // elements: stride of the index tensor
  uint to;    // stride of the target
};
layout(binding = 3) readonly restrict buffer Dims { Dim dims[]; };

#ifdef DOMAIN_FLOAT
#define VALUE float
#define LOAD(NAME, I) LOAD_FLOAT(NAME, TYPE, I)
#define STORE(I, V) STORE_FLOAT(y, TYPE, I, V)
bool above(VALUE a, VALUE b) { return a > b; }
bool is_nan(VALUE v) { return (floatBitsToUint(v) & 0x7FFFFFFFu) > 0x7F800000u; }
#else
const bool UNSIGNED = WIDE_UNSIGNED(TYPE);
#define LOAD(NAME, I) from_bits(TYPE, LOAD_BITS(NAME, TYPE, I))
#define STORE(I, V) STORE_BITS(y, TYPE, I, to_bits(V))
bool above(VALUE a, VALUE b) { return UNSIGNED ? UVALUE(a) > UVALUE(b) : a > b; }
bool is_nan(VALUE v) { return false; }
#endif

VALUE join(VALUE a, VALUE b) {
  if (REDUCTION == 0u) return a + b;
  if (REDUCTION == 1u) return a * b;
  return is_nan(a) || (REDUCTION == 2u ? above(a, b) : above(b, a)) ? a : b;
}

void main() {
  uint line = group_index() * 64u + gl_LocalInvocationID.x;
  if (line >= push.lines) return;
  uint from = FORM == 0u ? 0u : line;
  uint base = FORM == 0u ? 0u : line;
  if (FORM == 0u) {
    uint rest = line;
    for (uint d = 0u; d < DIMS; ++d) {
      uint next = fast_div(rest, uvec2(dims[d].multiplier, dims[d].shift));
      uint here = rest - next * dims[d].size;
      from += here * dims[d].from;
      base += here * dims[d].to;
      rest = next;
    }
  }
  for (uint j = 0u; j < push.updates; ++j) {
    uint e = from + j * push.index_stride;
    uint at = base;
    if (FORM == 0u) {
      at += INDEX(e, push.axis_size) * push.target_stride;
    } else {
      for (uint d = 0u; d < DIMS; ++d) at += INDEX(j * DIMS + d, dims[d].size) * dims[d].to;
    }
    VALUE v = join(LOAD(y, at), LOAD(updates, e));
    STORE(at, v)
  }
}
