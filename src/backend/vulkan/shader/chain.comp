#version 450
#extension GL_GOOGLE_include_directive : require
// variants: 4 -O0 -DSTEPS_MAX=4u
// variants: 16 -O0 -DSTEPS_MAX=16u
//
// (-O0: drivers fold as well, and the optimizer would unroll this to ten times the size.)
// A fused chain of float ops. The program is specialization constants: the loop over its steps is
// unrolled and the switch folded by the driver, so that values stay in registers. A driver unrolls
// before it folds, and so takes its time by STEPS_MAX. Each thread does four elements, 256 apart.
#include "common.glsl"
#include "elements.glsl"
// The loop over the steps is unrolled only where none is inside of it.
#define STRAIGHT
#include "float_ops.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const uint STEPS = 1;
layout(constant_id = 1) const uint INPUTS = 1;
layout(constant_id = 2) const uint DIMS = 0;
layout(constant_id = 3) const uint MODES = 0;  // two bits an input
// op, then operands a and b, a byte each: inputs from 0, results of earlier steps from kStepBase.
layout(constant_id = 4) const uint P0 = 0;
layout(constant_id = 5) const uint P1 = 0;
layout(constant_id = 6) const uint P2 = 0;
layout(constant_id = 7) const uint P3 = 0;
layout(constant_id = 8) const uint P4 = 0;
layout(constant_id = 9) const uint P5 = 0;
layout(constant_id = 10) const uint P6 = 0;
layout(constant_id = 11) const uint P7 = 0;
layout(constant_id = 12) const uint P8 = 0;
layout(constant_id = 13) const uint P9 = 0;
layout(constant_id = 14) const uint P10 = 0;
layout(constant_id = 15) const uint P11 = 0;
layout(constant_id = 16) const uint P12 = 0;
layout(constant_id = 17) const uint P13 = 0;
layout(constant_id = 18) const uint P14 = 0;
layout(constant_id = 19) const uint P15 = 0;
layout(constant_id = 20) const uint TYPE = 0;  // of all inputs and the result

layout(push_constant) uniform Push {
  uint count;
  uint bases[8];  // first elements: bindings start at aligned bytes
  uint base_out;
} push;

FLOATS(0, in0)
FLOATS(1, in1)
FLOATS(2, in2)
FLOATS(3, in3)
FLOATS(4, in4)
FLOATS(5, in5)
FLOATS(6, in6)
FLOATS(7, in7)
FLOATS_OUT(8, result)
struct Dim {
  uint multiplier;
  uint shift;
  uint size;
  uint strides[8];
};
layout(binding = 9) readonly buffer Dims { Dim dims[]; };

const uint kStepBase = 8u;

uint mode(uint k) { return (MODES >> (2u * k)) & 3u; }

float load(uint k, uint i) {
  switch (k) {
    case 0u: return LOAD_FLOAT(in0, TYPE, i);
    case 1u: return LOAD_FLOAT(in1, TYPE, i);
    case 2u: return LOAD_FLOAT(in2, TYPE, i);
    case 3u: return LOAD_FLOAT(in3, TYPE, i);
    case 4u: return LOAD_FLOAT(in4, TYPE, i);
    case 5u: return LOAD_FLOAT(in5, TYPE, i);
    case 6u: return LOAD_FLOAT(in6, TYPE, i);
  }
  return LOAD_FLOAT(in7, TYPE, i);
}

void main() {
  const uint program[16] =
      uint[](P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15);
  const uint zero = uint(push.base_out == 0xFFFFFFFFu);  // which no driver knows
  uint first = group_index() * 1024u + gl_LocalInvocationID.x;
  for (uint e = 0u; e < 4u; ++e) {
    uint i = first + e * 256u;
    if (i >= push.count) return;
    uint at[8];
    [[unroll]] for (uint k = 0u; k < 8u; ++k) {
      at[k] = push.bases[k] + (mode(k) == kModeSame ? i : 0u);
    }
    uint rest = i;
    [[unroll]] for (uint d = 0u; d < DIMS; ++d) {
      uint next = fast_div(rest, uvec2(dims[d].multiplier, dims[d].shift));
      uint here = rest - next * dims[d].size;
      [[unroll]] for (uint k = 0u; k < 8u; ++k) {
        if (k < INPUTS && mode(k) == kModeStrided) at[k] += here * dims[d].strides[k];
      }
      rest = next;
    }
    float v[24];
    [[unroll]] for (uint k = 0u; k < 8u; ++k) v[k] = k < INPUTS ? load(k, at[k]) : 0.0;
    [[unroll]] for (uint s = 0u; s < STEPS_MAX; ++s) {
      if (s < STEPS) {
        uint p = program[s], a = (p >> 8) & 0xFFu, b = (p >> 16) & 0xFFu;
        // A driver that sees one value twice takes a / a for 1 and a - a for 0, NaN or not.
        float other = a == b ? uintBitsToFloat(floatBitsToUint(v[b]) ^ zero) : v[b];
        v[kStepBase + s] = float_op(p & 0xFFu, TYPE, v[a], other, 0.0, 0.5, 0.0);
      }
    }
    STORE_FLOAT(result, TYPE, push.base_out + i, v[kStepBase + STEPS - 1u])
  }
}
