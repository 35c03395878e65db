// Rows of activations as float32, float16 or bfloat16: kRowType is 0, 1 or 2, a specialization
// constant of the including shader. exact.glsl comes before.
#define ROWS_IN(name, slot) \
  layout(set = 0, binding = slot) readonly restrict buffer name##_4 { float name[]; }; \
  layout(set = 0, binding = slot) readonly restrict buffer name##_2 { uint name##_pair[]; }
// Element `base + i`. Halves are read by words, which the scalar unit can do; where `base` is known
// to be even, neighbours share a word.
#define ROWS_LOAD(name, base, i) \
  (kRowType == 0 ? name[(base) + (i)] : row_half(name##_pair[((base) + (i)) >> 1], (base) + (i)))
#define ROWS_LOAD_EVEN(name, base, i) \
  (kRowType == 0 ? name[(base) + (i)] : row_half(name##_pair[((base) >> 1) + ((i) >> 1)], i))
float row_half(uint pair, uint i) {
  uint bits = (pair >> ((i & 1u) * 16)) & 0xFFFFu;
  return kRowType == 1 ? unpackHalf2x16(bits).x : uintBitsToFloat(bits << 16);
}

#define ROWS_OUT(name, slot) \
  layout(set = 0, binding = slot) writeonly restrict buffer name##_4 { float name[]; }; \
  layout(set = 0, binding = slot) writeonly restrict buffer name##_2 { uint16_t name##_half[]; }
#define ROWS_STORE(name, i, value) \
  if (kRowType == 0) { \
    name[i] = value; \
  } else { \
    name##_half[i] = uint16_t(row_bits(value)); \
  }
uint row_bits(float value) {
  if (kRowType == 1) return half_bits(value);
  uint bits = floatBitsToUint(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (bits >> 16) | 0x40u;
  return (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
}
