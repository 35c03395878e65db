// Weights as pack_linear_elements, pack_linear_blocks and pack_affine lay them: [group of 64 rows]
// [unit of k][lane]. fetch() loads a lane's unit, unpack() gives eight of its weights (float32:
// four). Included behind the buffers and the macro LOAD_W.
struct Unit {
  uvec4 quants;
  uvec4 more;  // q8_0, i8: the second half
  float scale;
  float zero;  // i8: a weight is scale * (q - zero), nothing where they are equal
};

#ifdef MANTISSA
// linear_rows.comp: in place of a conversion, which costs more (docs/adr/0045), a field of a word
// becomes low bits of 2^23, of which it is what is more. All of it is exact.

// The bits of 2^23. `units` is below 2^31, which the compiler does not know: of two constants it
// would make two instructions of what is one.
uint mantissa() { return 0x4B000000u | (units >> 31); }

// The `width` bits of a word from bit `at` on, less `less`. `high` are the bits of 2^23.
float field_of(uint word, int at, int width, float less, uint high) {
  const uint bits = at + width > 23 ? word >> 16 : word;
  const int low = at + width > 23 ? at - 16 : at;
  const float step = 1.0 / float(1u << low), number = 8388608.0 * step + less;
  return uintBitsToFloat((bits & (((1u << width) - 1) << low)) | high) * step - number;
}

// The low nibbles of a word's bytes, then the high ones.
void nibbles_of(uint word, bool with_sign, out float v[8]) {
  const uint high = mantissa(), q = with_sign ? word ^ 0x88888888u : word;
  [[unroll]] for (int i = 0; i < 8; i++) {
    v[i] = field_of(q, 8 * (i & 3) + 4 * (i >> 2), 4, with_sign ? 8.0 : 0.0, high);
  }
}
#endif

// Bytes of a word as numbers.
void bytes_of(uint word, bool with_sign, out float v[4]) {
#ifdef MANTISSA
  const uint high = mantissa(), q = with_sign ? word ^ 0x80808080u : word;
  [[unroll]] for (int i = 0; i < 4; i++) {
    v[i] = field_of(q, 8 * i, 8, with_sign ? 128.0 : 0.0, high);
  }
#else
  [[unroll]] for (int i = 0; i < 4; i++) {
    const uint byte = (word >> (8 * i)) & 255u;
    v[i] = with_sign ? float(bitfieldExtract(int(word), 8 * i, 8)) : float(byte);
  }
#endif
}

// Eight from two words.
void byte_pairs(uint first, uint second, bool with_sign, out float v[kStep]) {
  float some[4];
  bytes_of(first, with_sign, some);
  [[unroll]] for (uint i = 0; i < 4; i++) v[i] = some[i];
  bytes_of(second, with_sign, some);
  [[unroll]] for (uint i = 0; i < 4; i++) v[i + 4] = some[i];
}

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
  r.scale = LOAD_W(float, other, s, unit * kUnitWords * 8 + 512 + lane);
#ifndef MANTISSA
  r.scale *= 0.0625;
#endif
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
  byte_pairs(q[2 * (j & 1u)], q[2 * (j & 1u) + 1], true, v);
#else
  // Nibbles are two's complement; in the high half of a byte each is 16 times its value, signed.
#ifdef MANTISSA
  nibbles_of(q[j], true, v);
#else
  byte_pairs((q[j] << 4) & 0xF0F0F0F0u, q[j] & 0xF0F0F0F0u, true, v);
#endif
#endif
}
#endif
