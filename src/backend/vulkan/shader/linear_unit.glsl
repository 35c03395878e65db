// Weights as pack_linear_elements, pack_linear_blocks and pack_affine lay them: [group of 64 rows]
// [unit of k][lane]. fetch() loads a lane's unit, unpack() gives eight of its weights (float32:
// four). Included behind the buffers and the macro LOAD_W.
struct Unit {
  uvec4 quants;
  uvec4 more;  // q8_0, i8: the second half
  float scale;
  float zero;  // i8: a weight is scale * (q - zero), nothing where they are equal
};

#ifdef BLOCKS
#include "linear_blocks.glsl"
#else
Unit fetch(bool other, uint unit, uint lane) {
  Unit r;
  r.quants = LOAD_W(uvec4, other, w, unit * kUnitWords + lane);
  r.more = uvec4(0);
  r.scale = 1;
  r.zero = 0;
#if defined(W_Q4_0)
  r.scale = LOAD_W(float, other, s, unit * kUnitWords * 8 + 512 + lane) * 0.0625;
#elif defined(W_Q8_0)
  r.more = LOAD_W(uvec4, other, w, unit * kUnitWords + 64 + lane);
  r.scale = LOAD_W(float, other, s, unit * kUnitWords * 8 + 1024 + lane);
#elif defined(W_I8)
  r.more = LOAD_W(uvec4, other, w, unit * kUnitWords + 64 + lane);
#endif
  return r;
}
#endif
#ifdef W_Q6_K
// Of part j: the halves of a unit have a scale each.
#define SCALE(unit, j) ((j) < 2 ? (unit).scale : (unit).zero)
#else
#define SCALE(unit, j) (unit).scale
#endif

#ifdef W_I8
// Scale and zero point of unit u in the row group that starts at unit `first`.
vec2 scale_of(bool other, uint first, uint u, uint lane) {
  return LOAD_W(vec2, other, scales, (first + table) * kUnitWords * 2 + (u >> shift) * 64 + lane);
}
#endif

float signed_byte(uint v, int i) { return float(bitfieldExtract(int(v), 8 * i, 8)); }

#ifndef BLOCKS
// Eight (f32: four) weights of unit part j from its loaded words, without the block's scale.
void unpack(Unit unit, uint j, out float v[kStep]) {
  const uvec4 q = kUnitWords >= 128 && j >= 2 ? unit.more : unit.quants;
#if defined(W_F32)
  [[unroll]] for (uint i = 0; i < 4; i++) v[i] = uintBitsToFloat(q[i]);
#elif defined(W_F16)
  [[unroll]] for (uint i = 0; i < 4; i++) {
    vec2 h = unpackHalf2x16(q[i]);
    v[2 * i] = h.x;
    v[2 * i + 1] = h.y;
  }
#elif defined(W_Q8_0) || defined(W_I8)
  [[unroll]] for (int i = 0; i < 4; i++) {
    v[i] = signed_byte(q[2 * (j & 1u)], i);
    v[i + 4] = signed_byte(q[2 * (j & 1u) + 1], i);
  }
#else
  // Nibbles are two's complement: in the high half of a byte each is 16 times its value, signed.
  uint lo = (q[j] << 4) & 0xF0F0F0F0u, hi = q[j] & 0xF0F0F0F0u;
  [[unroll]] for (int i = 0; i < 4; i++) {
    v[i] = signed_byte(lo, i);
    v[i + 4] = signed_byte(hi, i);
  }
#endif
}
#endif
