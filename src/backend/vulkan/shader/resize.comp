#version 450
#extension GL_GOOGLE_include_directive : require
// variants: b1 -DT=uint8_t -DFILL=uint8_t(push.fill.x&0xFFu)
// variants: b2 -DT=uint16_t -DFILL=uint16_t(push.fill.x&0xFFFFu)
// variants: b4 -DT=uint -DFILL=push.fill.x
// variants: b8 -DT=uvec2 -DFILL=push.fill
// variants: float -DWEIGHTED
//
// Resize: an output element is the input's element at the places of its loops (b1 to b8), or the
// weighted sum of those at the taps of up to three loops.
#include "common.glsl"
#ifdef WEIGHTED
#include "elements.glsl"
#endif

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint LOOPS = 1;
layout(constant_id = 1) const uint RESIZED = 0;  // a bit each, the innermost in the low one
layout(constant_id = 2) const uint CROPS = 0;    // a place may lie outside the input
layout(constant_id = 3) const uint TAPS_0 = 1;   // of the resized loops, innermost first
layout(constant_id = 4) const uint TAPS_1 = 1;
layout(constant_id = 5) const uint TAPS_2 = 1;
layout(constant_id = 6) const uint TYPE = 0;

layout(push_constant) uniform Push {
  uvec2 fill;  // bits of the value outside
  uint count;
} push;

struct Loop {
  uint multiplier;
  uint shift;
  uint size;
  uint step;   // of a kept loop
  uint table;  // of a resized one: its first word in `words`
};
layout(binding = 2) readonly buffer Loops { Loop loops[]; };
// A place in the input for each tap and, of a weighted sum, its weight beside it.
layout(binding = 3) readonly buffer Table { uint words[]; };

const uint kOutside = 0xFFFFFFFFu;

#ifdef WEIGHTED
FLOATS(0, source)
FLOATS_OUT(1, target)
const uint kWords = 2u;

float tap(uint from, float weight) {
  // What has no weight may be anything.
  return weight != 0.0 ? weight * LOAD_FLOAT(source, TYPE, from) : 0.0;
}

float sum_of(uint base, uvec3 at) {
  float sum = 0.0;
  for (uint k = 0u; k < TAPS_2; ++k) {
    uint from_2 = base;
    float weight_2 = 1.0;
    if (at.z != kOutside) {
      from_2 += words[at.z + 2u * k];
      weight_2 = uintBitsToFloat(words[at.z + 2u * k + 1u]);
    }
    for (uint j = 0u; j < TAPS_1; ++j) {
      uint from_1 = from_2;
      float weight_1 = weight_2;
      if (at.y != kOutside) {
        from_1 += words[at.y + 2u * j];
        weight_1 *= uintBitsToFloat(words[at.y + 2u * j + 1u]);
      }
      for (uint i = 0u; i < TAPS_0; ++i) {
        sum += tap(from_1 + words[at.x + 2u * i],
                   weight_1 * uintBitsToFloat(words[at.x + 2u * i + 1u]));
      }
    }
  }
  return sum;
}
#else
layout(binding = 0) readonly buffer In { T source[]; };
layout(binding = 1) writeonly buffer Out { T target[]; };
const uint kWords = 1u;
#endif

void main() {
  uint i = group_index() * 256u + gl_LocalInvocationID.x;
  if (i >= push.count) return;
  uint base = 0u, rest = i, resized = 0u;
  uvec3 at = uvec3(kOutside);  // none
  bool outside = false;
  [[unroll]] for (uint d = 0u; d < LOOPS; ++d) {
    uint next = fast_div(rest, uvec2(loops[d].multiplier, loops[d].shift));
    uint here = rest - next * loops[d].size;
    rest = next;
    if (((RESIZED >> d) & 1u) == 0u) {
      base += here * loops[d].step;
      continue;
    }
    uint taps = resized == 0u ? TAPS_0 : resized == 1u ? TAPS_1 : TAPS_2;
    uint first = loops[d].table + here * taps * kWords;
    at[resized] = first;
    if (CROPS != 0u) outside = outside || words[first] == kOutside;
    ++resized;
  }
#ifdef WEIGHTED
  float value = outside ? uintBitsToFloat(push.fill.x) : 0.0;
  if (!outside) value = sum_of(base, at);
  STORE_FLOAT(target, TYPE, i, value)
#else
  if (outside) {
    target[i] = FILL;
    return;
  }
  [[unroll]] for (uint r = 0u; r < 3u; ++r) {
    if (r < resized) base += words[at[r]];
  }
  target[i] = source[base];
#endif
}
