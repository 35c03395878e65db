#version 450
#extension GL_GOOGLE_include_directive : require
// variants: float -DDOMAIN_FLOAT
// variants: int
//
// TopK of long lines, in rounds. A workgroup takes 2048 candidates of a line, sorts runs of them,
// and halves their number by taking the larger of two runs that are sorted in opposite directions
// (bitonic top-k, Shanbhag et al. 2018) until its first k are left, which are candidates of the
// next round. The first round reads the line, the last one writes the result.
#include "common.glsl"
#include "elements.glsl"
#ifndef DOMAIN_FLOAT
#include "ints.glsl"
#endif

const uint kThreads = 256u;
const uint kSpan = 2048u;  // candidates of a workgroup

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint TYPE = 0;
layout(constant_id = 1) const uint LARGEST = 1;
layout(constant_id = 2) const uint FIRST = 1;
layout(constant_id = 3) const uint LAST = 1;
layout(constant_id = 4) const uint RUN = 128;  // a power of two from k on, at most half of kSpan

layout(push_constant) uniform Push {
  uint groups;  // lines * parts
  uint parts;   // workgroups of a line
  uint count;   // candidates of a line
  uint span;    // of the axis
  uint inner;
  uint k;
  uint from;  // where this round's candidates stand in the workspace, and those of the next
  uint to;
} push;

BUFFER_IN(0, x)
BUFFER_OUT(1, y)
layout(binding = 2) writeonly restrict buffer Places { uvec2 places[]; };
layout(binding = 3) buffer Candidates { uvec2 candidates[]; };  // key and place

shared uint keys[kSpan];
shared uint ids[kSpan];

// Elements as unsigned numbers of the order that is asked for, the first one largest.
uint key_of(uint at) {
#ifdef DOMAIN_FLOAT
  // Zeros are equal, and a NaN is above every number.
  int bits = floatBitsToInt(LOAD_FLOAT(x, TYPE, at));
  int value = bits < 0 ? int(0x80000000u) - bits : bits;
  uint key = (uint(bits) & 0x7FFFFFFFu) > 0x7F800000u ? ~0u : uint(value) ^ 0x80000000u;
#else
  uint bits = uint(from_bits(TYPE, LOAD_BITS(x, TYPE, at)));
  uint key = WIDE_UNSIGNED(TYPE) ? bits : bits ^ 0x80000000u;
#endif
  return LARGEST != 0u ? key : ~key;
}

// Whether the candidate at `a` comes before that at `b`; of equals the lower place does.
bool before(uint a, uint b) {
  return keys[a] != keys[b] ? keys[a] > keys[b] : ids[a] < ids[b];
}

// One step of the sorting network: `pairs` elements meet those `stride` behind them. Runs begin
// `spacing` apart, and of every two blocks of `size` the second is sorted backwards.
void exchange(uint pairs, uint spacing, uint size, uint stride) {
  for (uint p = gl_LocalInvocationID.x; p < pairs; p += kThreads) {
    uint run = p / (RUN / 2u), at = p % (RUN / 2u);
    uint low = 2u * at - (at & (stride - 1u));
    uint a = run * spacing + low, b = a + stride;
    bool backwards = ((run * RUN + low) & size) != 0u;
    if (before(b, a) != backwards) {
      uint key = keys[a], id = ids[a];
      keys[a] = keys[b], ids[a] = ids[b];
      keys[b] = key, ids[b] = id;
    }
  }
  barrier();
}

void main() {
  uint group = group_index();
  if (group >= push.groups) return;
  uint lane = gl_LocalInvocationID.x;
  uint line = group / push.parts, begin = group % push.parts * kSpan;
  uint outer = line / push.inner, n = line % push.inner;
  uint base = outer * push.span * push.inner + n;
  for (uint e = lane; e < kSpan; e += kThreads) {
    uint c = begin + e;
    uvec2 candidate = uvec2(0u, ~0u);  // comes after all
    if (c < push.count) {
      if (FIRST != 0u) {
        candidate = uvec2(key_of(base + c * push.inner), c);
      } else {
        candidate = candidates[push.from + line * push.count + c];
      }
    }
    keys[e] = candidate.x, ids[e] = candidate.y;
  }
  barrier();
  for (uint size = 2u; size <= RUN; size *= 2u) {
    for (uint stride = size / 2u; stride > 0u; stride /= 2u) {
      exchange(kSpan / 2u, RUN, size, stride);
    }
  }
  uint spacing = RUN;
  for (uint left = kSpan / 2u; left >= RUN; left /= 2u) {
    for (uint e = lane; e < left; e += kThreads) {
      uint a = e / RUN * 2u * spacing + e % RUN, b = a + spacing;
      if (before(b, a)) keys[a] = keys[b], ids[a] = ids[b];
    }
    barrier();
    spacing *= 2u;
    for (uint stride = RUN / 2u; stride > 0u; stride /= 2u) {
      exchange(left / 2u, spacing, RUN, stride);
    }
  }
  for (uint i = lane; i < push.k; i += kThreads) {
    if (LAST != 0u) {
      uint to = (outer * push.k + i) * push.inner + n;
      STORE_BITS(y, TYPE, to, LOAD_BITS(x, TYPE, base + ids[i] * push.inner))
      places[to] = uvec2(ids[i], 0u);
    } else {
      candidates[push.to + group * push.k + i] = uvec2(keys[i], ids[i]);
    }
  }
}
