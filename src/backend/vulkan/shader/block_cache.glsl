// Four consecutive elements of a key or value cache. The including shader defines one of C_F32,
// C_F16, C_Q8_0, C_Q4_0 and binds the cache as CACHE(name, binding).
#if defined(C_F32)
#define CACHE(name, slot) \
  layout(set = 0, binding = slot) readonly restrict buffer name##_ { vec4 name[]; }
#define CACHE_LOAD(name, e) name[(e) >> 2]
#elif defined(C_F16)
#define CACHE(name, slot) \
  layout(set = 0, binding = slot) readonly restrict buffer name##_ { uvec2 name[]; }
#define CACHE_LOAD(name, e) cache_halves(name[(e) >> 2])
vec4 cache_halves(uvec2 v) { return vec4(unpackHalf2x16(v.x), unpackHalf2x16(v.y)); }
#else
#define CACHE(name, slot) \
  layout(set = 0, binding = slot) readonly restrict buffer name##_ { uint16_t name[]; }
// A block is a float16 scale and the quants, 16 bits at a time.
#define CACHE_LOAD(name, e) \
  cache_quants(uint(name[cache_block(e)]), uint(name[cache_word(e)]), \
               uint(name[cache_word(e) + 1]), e)
#if defined(C_Q8_0)
uint cache_block(uint e) { return (e >> 5) * 17; }
uint cache_word(uint e) { return cache_block(e) + 1 + ((e & 31u) >> 1); }
vec4 cache_quants(uint scale, uint low, uint high, uint e) {
  int v = int(low | (high << 16));
  return unpackHalf2x16(scale).x * vec4(bitfieldExtract(v, 0, 8), bitfieldExtract(v, 8, 8),
                                        bitfieldExtract(v, 16, 8), bitfieldExtract(v, 24, 8));
}
#else
uint cache_block(uint e) { return (e >> 5) * 9; }
uint cache_word(uint e) { return cache_block(e) + 1 + ((e & 15u) >> 1); }
vec4 cache_quants(uint scale, uint low, uint high, uint e) {
  uint v = ((low | (high << 16)) >> ((e & 16u) >> 2)) & 0x0F0F0F0Fu;
  return unpackHalf2x16(scale).x *
         (vec4(v & 255u, (v >> 8) & 255u, (v >> 16) & 255u, v >> 24) - 8.0);
}
#endif
#endif
