#version 450
#extension GL_GOOGLE_include_directive : require
// NonZero in three dispatches: STAGE 0 counts per 1024 elements, 1 turns counts into starts and
// writes the result's dims, 2 writes coordinates in row-major order, int64[rank][found].
#include "common.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint STAGE = 0;
layout(constant_id = 1) const uint BYTES = 4;    // of an element
layout(constant_id = 2) const uint IS_FLOAT = 0; // -0.0 is zero
layout(constant_id = 3) const uint RANK = 1;

layout(push_constant) uniform Push {
  uint count;
  uint groups;
} push;

layout(binding = 0) readonly buffer InB { uint8_t in_b[]; };
layout(binding = 0) readonly buffer InS { uint16_t in_s[]; };
layout(binding = 0) readonly buffer InW { uint in_w[]; };
layout(binding = 0) readonly buffer InL { uvec2 in_l[]; };
layout(binding = 1) buffer Counts { uint counts[]; };  // per group; the total follows
layout(binding = 2) writeonly buffer Found { uvec2 found[]; };
layout(binding = 3) writeonly buffer DimsOut { uvec2 dims_out[]; };
struct Dim {
  uint multiplier;
  uint shift;
  uint size;
};
layout(binding = 4) readonly buffer Dims { Dim dims[]; };

shared uint scan[256];

bool hit(uint i) {
  if (i >= push.count) return false;
  if (BYTES == 1u) return uint(in_b[i]) != 0u;
  if (BYTES == 2u) return (uint(in_s[i]) & (IS_FLOAT != 0u ? 0x7FFFu : 0xFFFFu)) != 0u;
  uint mask = IS_FLOAT != 0u ? 0x7FFFFFFFu : ~0u;
  if (BYTES == 4u) return (in_w[i] & mask) != 0u;
  uvec2 v = in_l[i];
  return (v.x | (v.y & mask)) != 0u;
}

// Sum of `v` over the threads up to and with this one.
uint inclusive_scan(uint v) {
  uint lane = gl_LocalInvocationID.x;
  scan[lane] = v;
  barrier();
  [[unroll]] for (uint step = 1u; step < 256u; step *= 2u) {
    uint add = lane >= step ? scan[lane - step] : 0u;
    barrier();
    scan[lane] += add;
    barrier();
  }
  return scan[lane];
}

void main() {
  uint lane = gl_LocalInvocationID.x;
  if (STAGE == 1u) {
    uint start = 0u;
    for (uint base = 0u; base < push.groups; base += 256u) {
      uint g = base + lane;
      uint v = g < push.groups ? counts[g] : 0u;
      uint upto = inclusive_scan(v);
      if (g < push.groups) counts[g] = start + upto - v;
      start += scan[255];
      barrier();
    }
    if (lane == 0u) {
      counts[push.groups] = start;
      dims_out[0] = uvec2(RANK, 0u);
      dims_out[1] = uvec2(start, 0u);
    }
    return;
  }
  uint group = group_index();
  uint first = group * 1024u + lane * 4u;
  bool hits[4];
  uint own = 0u;
  [[unroll]] for (uint k = 0u; k < 4u; ++k) {
    hits[k] = hit(first + k);
    own += hits[k] ? 1u : 0u;
  }
  uint upto = inclusive_scan(own);
  if (group >= push.groups) return;
  if (STAGE == 0u) {
    if (lane == 255u) counts[group] = upto;
    return;
  }
  uint total = counts[push.groups];
  uint to = counts[group] + upto - own;
  [[unroll]] for (uint k = 0u; k < 4u; ++k) {
    if (hits[k]) {
      uint rest = first + k;
      for (uint d = 0u; d < RANK; ++d) {
        uint next = fast_div(rest, uvec2(dims[d].multiplier, dims[d].shift));
        // Loops come innermost first.
        found[(RANK - 1u - d) * total + to] = uvec2(rest - next * dims[d].size, 0u);
        rest = next;
      }
      ++to;
    }
  }
}
