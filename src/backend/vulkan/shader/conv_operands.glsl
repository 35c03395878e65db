// Types, bindings, push constants, loads and stores of the convolutions. Before it come HALF,
// INTEGER and REQUANTIZE as the module wants them.
layout(constant_id = 3) const uint kHasBias = 0;
layout(constant_id = 4) const uint kBytes = 0;   // of integers: 1 x, 2 y, 4 w signed; w zeros: 8
                                                 // one, 16 one a channel, 32 packed w has some
layout(constant_id = 6) const uint kPacked = 1;  // weights 0: as the file has them, packed 1: as
                                                 // float32, 2: at their own width
layout(constant_id = 7) const uint kDepth = 0;   // 1: three spatial dims

#ifdef INTEGER
#define X_TYPE uint8_t
#define X4_TYPE uint
#define B_TYPE int
#define SUM int
#define SUM4 ivec4
#elif defined(HALF)
layout(constant_id = 10) const uint kBrain = 0;  // 1: bfloat16
#define X_TYPE float16_t
#define X4_TYPE f16vec4
#define B_TYPE float16_t
#define SUM float
#define SUM4 vec4
#else
#define X_TYPE float
#define X4_TYPE vec4
#define B_TYPE float
#define SUM float
#define SUM4 vec4
#endif
#ifdef REQUANTIZE
#define Y_TYPE uint8_t
#define Y4_TYPE uint
#elif defined(INTEGER)
#define Y_TYPE int
#define Y4_TYPE ivec4
#else
#define Y_TYPE X_TYPE
#define Y4_TYPE X4_TYPE
#endif

layout(set = 0, binding = 0) readonly restrict buffer X { X_TYPE x[]; };
layout(set = 0, binding = 0) readonly restrict buffer X4 { X4_TYPE x4[]; };
layout(set = 0, binding = 1) readonly restrict buffer W { float w[]; };
layout(set = 0, binding = 1) readonly restrict buffer WW { uint w_words[]; };
layout(set = 0, binding = 1) readonly restrict buffer R { X_TYPE raw[]; };
layout(set = 0, binding = 2) readonly restrict buffer B { B_TYPE bias[]; };
layout(set = 0, binding = 3) readonly restrict buffer M { float multiplier[]; };
layout(set = 0, binding = 3) readonly restrict buffer ZW { int packed_zeros[]; };
layout(set = 0, binding = 4) readonly restrict buffer Z { X_TYPE x_zero[]; };
layout(set = 0, binding = 5) writeonly restrict buffer Y { Y_TYPE y[]; };
layout(set = 0, binding = 5) writeonly restrict buffer Y4 { Y4_TYPE y4[]; };
layout(set = 0, binding = 6) readonly restrict buffer WZ { X_TYPE w_zero[]; };
#ifdef HALF
layout(set = 0, binding = 0) readonly restrict buffer XB { uint16_t x_b[]; };
layout(set = 0, binding = 0) readonly restrict buffer XB4 { uvec2 x4_b[]; };
layout(set = 0, binding = 1) readonly restrict buffer RB { uint16_t raw_b[]; };
layout(set = 0, binding = 2) readonly restrict buffer BB { uint16_t bias_b[]; };
layout(set = 0, binding = 5) writeonly restrict buffer YB { uint16_t y_b[]; };
layout(set = 0, binding = 5) writeonly restrict buffer YB4 { uvec2 y4_b[]; };
#endif
layout(push_constant) uniform P {
  uint pixels;  // batch and places, transposed: places of one phase
  uint in_channels, out_channels, group_in, group_out;
  int y_zero;
  uint has_x_zero;  // x_zero[0] counts
#include "conv_window.glsl"
};

#ifdef INTEGER
float widen(uint v, uint flag) {
  return float((kBytes & flag) != 0 ? bitfieldExtract(int(v), 0, 8) : int(v));
}
#define LOAD(i) widen(uint(x[i]), 1u)
vec4 load4(uint i) {
  uint v = x4[i];
  return vec4(widen(v & 255u, 1), widen(v >> 8 & 255u, 1), widen(v >> 16 & 255u, 1),
              widen(v >> 24, 1));
}
#elif defined(HALF)
#include "bfloat.glsl"
#define LOAD(i) (kBrain != 0 ? from_bfloat(uint(x_b[i])) : float(x[i]))
vec4 load4(uint i) {
  if (kBrain == 0) return vec4(x4[i]);
  const uvec4 v = x4_b[i].xxyy;
  return uintBitsToFloat(uvec4(v.x << 16, v.y & 0xFFFF0000u, v.z << 16, v.w & 0xFFFF0000u));
}
#else
#define LOAD(i) x[i]
vec4 load4(uint i) { return x4[i]; }
#endif

#ifdef REQUANTIZE
uint store(int v, uint channel) {
  float scaled = roundEven(float(v) * multiplier[channel]);
  int q = int(clamp(scaled, -1.0e6, 1.0e6)) + y_zero;
  return uint((kBytes & 2u) != 0 ? clamp(q, -128, 127) & 255 : clamp(q, 0, 255));
}
uint store4(ivec4 v, uint channel) {
  return store(v.x, channel) | store(v.y, channel + 1) << 8 | store(v.z, channel + 2) << 16 |
         store(v.w, channel + 3) << 24;
}
#else
SUM store(SUM v, uint channel) { return v; }
SUM4 store4(SUM4 v, uint channel) { return v; }
#endif

SUM bias_of(uint channel) {
#ifdef HALF
  if (kBrain != 0) return from_bfloat(uint(bias_b[channel]));
#endif
  return SUM(bias[channel]);
}

void put(uint at, SUM v, uint channel) {
#ifdef HALF
  if (kBrain != 0) {
    y_b[at] = uint16_t(bfloat_bits(v));
    return;
  }
#endif
  y[at] = Y_TYPE(store(v, channel));
}

// Four channels, at a multiple of four.
void put4(uint at, SUM4 v, uint channel) {
#ifdef HALF
  if (kBrain != 0) {
    y4_b[at / 4] = uvec2(bfloat_bits(v.x) | bfloat_bits(v.y) << 16,
                         bfloat_bits(v.z) | bfloat_bits(v.w) << 16);
    return;
  }
#endif
  y4[at / 4] = Y4_TYPE(store4(v, channel));
}

// Packed weights of 16 and 8 bits, some to a word: that at place `k` of it, less its zero point.
#ifdef HALF
const uint kPerWord = 2;
float unpack_weight(uint word, uint k, int zero) {
  if (kBrain != 0) return uintBitsToFloat(k == 0 ? word << 16 : word & 0xFFFF0000u);
  return unpackHalf2x16(word >> (k * 16)).x;
}
#elif defined(INTEGER)
const uint kPerWord = 4;
float unpack_weight(uint word, uint k, int zero) {
  return float(bitfieldExtract(int(word), int(k * 8), 8) - zero);
}
#endif

// Zero point of a packed weight of output channel `channel`: behind the multipliers.
int packed_zero(uint channel) {
  if ((kBytes & 32u) == 0) return 0;
#ifdef REQUANTIZE
  return packed_zeros[out_channels + channel];
#else
  return packed_zeros[channel];
#endif
}

uint tap_count() { return (kDepth != 0 ? kernel_d : 1) * kernel_h * kernel_w; }

// Weight `at` as the file has it, less the zero point of its output channel.
float raw_weight(uint at, uint channel) {
#ifdef INTEGER
  float zero = 0;
  if ((kBytes & 24u) != 0) zero = widen(uint(w_zero[(kBytes & 16u) != 0 ? channel : 0]), 4);
  return widen(uint(raw[at]), 4) - zero;
#else
#ifdef HALF
  if (kBrain != 0) return from_bfloat(uint(raw_b[at]));
#endif
  return float(raw[at]);
#endif
}
