// Buffers whose element type is a type code of opcode.glsl, known when the shader is specialized:
// a buffer under each type it may have, of which one survives. 16-bit floats are widened on load
// and rounded once on store.
#include "bfloat.glsl"
#include "opcode.glsl"

// FLOATS is any float, BUFFER any type; _IN: nothing that is written lies on it, so that a driver
// may load it early or by the scalar unit.
#define FLOATS_AS(ACCESS, BINDING, NAME)                                     \
  layout(binding = BINDING) ACCESS buffer NAME##F { float NAME##_f[]; };     \
  layout(binding = BINDING) ACCESS buffer NAME##H { float16_t NAME##_h[]; }; \
  layout(binding = BINDING) ACCESS buffer NAME##S { uint16_t NAME##_s[]; };
#define BUFFER_AS(ACCESS, BINDING, NAME)                                   \
  layout(binding = BINDING) ACCESS buffer NAME##W { uint NAME##_w[]; };    \
  layout(binding = BINDING) ACCESS buffer NAME##L { uvec2 NAME##_l[]; };   \
  layout(binding = BINDING) ACCESS buffer NAME##B { uint8_t NAME##_b[]; }; \
  FLOATS_AS(ACCESS, BINDING, NAME)
#define FLOATS(BINDING, NAME) FLOATS_AS(readonly, BINDING, NAME)
#define FLOATS_IN(BINDING, NAME) FLOATS_AS(readonly restrict, BINDING, NAME)
#define FLOATS_OUT(BINDING, NAME) FLOATS_AS(writeonly, BINDING, NAME)
#define BUFFER(BINDING, NAME) BUFFER_AS(readonly, BINDING, NAME)
#define BUFFER_IN(BINDING, NAME) BUFFER_AS(readonly restrict, BINDING, NAME)
#define BUFFER_OUT(BINDING, NAME) BUFFER_AS(writeonly, BINDING, NAME)

// Bits of an element, widened to 32 (or 64) by its own sign.
#define LOAD_BITS(NAME, TYPE, I)                                                    \
  (TYPE == kTypeI64 || TYPE == kTypeU64 ? NAME##_l[I]                               \
   : TYPE == kTypeI8                    ? widen_bits(uint(NAME##_b[I]), 8)          \
   : TYPE == kTypeU8                    ? uvec2(uint(NAME##_b[I]), 0)               \
   : TYPE == kTypeBool                  ? uvec2(uint(NAME##_b[I]) != 0u ? 1u : 0u, 0) \
   : TYPE == kTypeI16                   ? widen_bits(uint(NAME##_s[I]), 16)         \
   : is_half_word(TYPE)                 ? uvec2(uint(NAME##_s[I]), 0)               \
                                        : uvec2(NAME##_w[I], 0))

// The low bits, as many as the type has.
#define STORE_BITS(NAME, TYPE, I, V)                                              \
  {                                                                               \
    const uvec2 bits_ = V;                                                        \
    if (TYPE == kTypeI64 || TYPE == kTypeU64) {                                   \
      NAME##_l[I] = bits_;                                                        \
    } else if (TYPE == kTypeI8 || TYPE == kTypeU8 || TYPE == kTypeBool) {         \
      NAME##_b[I] = uint8_t(bits_.x & 0xFFu);                                     \
    } else if (TYPE == kTypeI16 || is_half_word(TYPE)) {                          \
      NAME##_s[I] = uint16_t(bits_.x & 0xFFFFu);                                  \
    } else {                                                                      \
      NAME##_w[I] = bits_.x;                                                      \
    }                                                                             \
  }

uvec2 widen_bits(uint v, int bits) { return uvec2(uint(bitfieldExtract(int(v), 0, bits)), 0); }

bool is_half_word(uint type) {
  return type == kTypeU16 || type == kTypeF16 || type == kTypeBF16;
}

#define LOAD_FLOAT(NAME, TYPE, I)          \
  (TYPE == kTypeF32   ? NAME##_f[I]        \
   : TYPE == kTypeF16 ? float(NAME##_h[I]) \
                      : from_bfloat(uint(NAME##_s[I])))
#define STORE_FLOAT(NAME, TYPE, I, V)         \
  {                                           \
    if (TYPE == kTypeF32) {                   \
      NAME##_f[I] = V;                        \
    } else if (TYPE == kTypeF16) {            \
      NAME##_h[I] = float16_t(V);             \
    } else {                                  \
      NAME##_s[I] = uint16_t(bfloat_bits(V)); \
    }                                         \
  }
