// Elements of a key or value cache. The including shader defines one of C_F32, C_F16, C_Q8_0,
// C_Q4_0 and binds the cache as CACHE(name, binding); the views of one binding are read only.
// CACHE_ONE takes any element, CACHE_FOUR four of them from a multiple of four.
#if defined(C_F32)
#define CACHE(name, slot) \
  layout(set = 0, binding = slot) readonly restrict buffer name##_1 { float name[]; }; \
  layout(set = 0, binding = slot) readonly restrict buffer name##_4 { vec4 name##_four[]; }
#define CACHE_ONE(name, e) name[e]
#define CACHE_FOUR(name, e) name##_four[(e) >> 2]
#elif defined(C_F16)
#define CACHE(name, slot) \
  layout(set = 0, binding = slot) readonly restrict buffer name##_1 { uint16_t name[]; }; \
  layout(set = 0, binding = slot) readonly restrict buffer name##_4 { uvec2 name##_four[]; }; \
  layout(set = 0, binding = slot) readonly restrict buffer name##_8 { uvec4 name##_eight[]; }
#define CACHE_ONE(name, e) unpackHalf2x16(uint(name[e])).x
#define CACHE_FOUR(name, e) cache_halves(name##_four[(e) >> 2])
vec4 cache_halves(uvec2 v) { return vec4(unpackHalf2x16(v.x), unpackHalf2x16(v.y)); }
#else
// A block is a float16 scale and the quants: an odd number of 16-bit units, so that every second
// block begins in the middle of a word.
#include "block_halves.glsl"
#define CACHE(name, slot) \
  layout(set = 0, binding = slot) readonly restrict buffer name##_1 { uint16_t name[]; }; \
  layout(set = 0, binding = slot) readonly restrict buffer name##_4 { uint name##_word[]; }
#define CACHE_ONE(name, e) \
  cache_quant(uint(name[cache_block(e)]), uint(name[cache_word(e)]), e)
#define CACHE_FOUR(name, e) \
  cache_quants(uint(name[cache_block(e)]), uint(name[cache_word(e)]), \
               uint(name[cache_word(e) + 1]), e)
vec4 signed_bytes(uint bytes) {
  int v = int(bytes);
  return vec4(bitfieldExtract(v, 0, 8), bitfieldExtract(v, 8, 8), bitfieldExtract(v, 16, 8),
              bitfieldExtract(v, 24, 8));
}
vec4 nibbles(uint v) {
  v &= 0x0F0F0F0Fu;
  return vec4(v & 255u, (v >> 8) & 255u, (v >> 16) & 255u, v >> 24) - 8.0;
}
#if defined(C_Q8_0)
const uint kBlockHalves = kQ8_0Halves;
uint cache_block(uint e) { return (e >> 5) * kBlockHalves; }
uint cache_word(uint e) { return cache_block(e) + 1 + ((e & 31u) >> 1); }
float cache_quant(uint scale, uint pair, uint e) {
  return unpackHalf2x16(scale).x * float(bitfieldExtract(int(pair), int(e & 1u) * 8, 8));
}
vec4 cache_quants(uint scale, uint low, uint high, uint e) {
  return unpackHalf2x16(scale).x * signed_bytes(low | (high << 16));
}
#else
const uint kBlockHalves = kQ4_0Halves;
uint cache_block(uint e) { return (e >> 5) * kBlockHalves; }
uint cache_word(uint e) { return cache_block(e) + 1 + ((e & 15u) >> 1); }
float cache_quant(uint scale, uint quad, uint e) {
  uint nibble = (quad >> ((e & 1u) * 8 + ((e & 16u) >> 2))) & 15u;
  return unpackHalf2x16(scale).x * (float(nibble) - 8.0);
}
vec4 cache_quants(uint scale, uint low, uint high, uint e) {
  return unpackHalf2x16(scale).x * nibbles((low | (high << 16)) >> ((e & 16u) >> 2));
}
#endif
#endif
