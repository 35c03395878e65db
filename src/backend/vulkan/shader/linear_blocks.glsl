// linear.comp's weights in the formats of 4 to 6 bits a weight that have more than a scale a block,
// packed by parts/block_weights.cc. A unit is 32 k of 64 rows; the quants of unit u are
//   words[word_of(u)] of 64 lanes: word j holds elements 8 j .. 8 j + 3 in the low nibbles of its
//   bytes, 8 j + 4 .. 8 j + 7 in the high ones
// and what lies beside them:
//   q4_1: float16 scale and minimum a lane
//   q5_0: a word of fifth bits (bit t of byte i: element 4 t + i), float16 scale
//   q5_1: the same, float16 scale and minimum
//   q4_k, q5_k, q6_k: 8 units lie together, and so do what they share: all headers, all high bits
//   of unit after unit, all quants, scales
// Codes are signed (q5_0, q6_k) and then stand in the high bits of a byte, or unsigned and have a
// minimum: a weight is scale * code - zero.
#if defined(W_Q4_1)
const uint kUnitWords = 80;
#elif defined(W_Q5_0)
const uint kUnitWords = 88;
#elif defined(W_Q5_1)
const uint kUnitWords = 96;
#elif defined(W_Q4_K)
const uint kSuperWords = 576, kQuantsAt = 64;
#elif defined(W_Q5_K)
const uint kSuperWords = 704, kHighAt = 64, kQuantsAt = 192;
#else
const uint kSuperWords = 840, kHighAt = 512, kScalesAt = 768, kQuantsAt = 0;
#endif
#if defined(W_Q4_K) || defined(W_Q5_K) || defined(W_Q6_K)
#define SUPER
const uint kUnitWords = kSuperWords / 8;
#endif

layout(set = 0, binding = 1) readonly restrict buffer BlockWords { uint words[]; };
layout(set = 0, binding = 1) readonly restrict buffer BlockPairs { uvec2 pairs[]; };
layout(set = 0, binding = 1) readonly restrict buffer BlockHalves { uint16_t halves[]; };
#ifdef STAGE
layout(set = 0, binding = 4) readonly restrict buffer BlockWords1 { uint other_words[]; };
layout(set = 0, binding = 4) readonly restrict buffer BlockPairs1 { uvec2 other_pairs[]; };
layout(set = 0, binding = 4) readonly restrict buffer BlockHalves1 { uint16_t other_halves[]; };
#endif

// Scale and minimum of unit i of eight from its row's header: the two float16, nibble i of a word
// the low bits of scale i, of the next word those of minimum i, of the last word the high ones of
// both.
#if defined(W_Q4_K) || defined(W_Q5_K)
vec2 six_bits(uvec4 header, uint i) {
  const int at = 4 * int(i);
  const uint scale = bitfieldExtract(header.y, at, 4) | bitfieldExtract(header.w, at, 2) << 4;
  const uint zero = bitfieldExtract(header.z, at, 4) | bitfieldExtract(header.w, at + 2, 2) << 4;
  return unpackHalf2x16(header.x) * vec2(scale, zero);
}
#endif

Unit fetch(bool other, uint unit, uint lane) {
  Unit r;
  r.more = uvec4(0);
  r.zero = 0;
#ifdef SUPER
  const uint first = (unit >> 3) * kSuperWords, i = unit & 7u;
  r.quants = LOAD_W(uvec4, other, w, first + kQuantsAt + i * 64 + lane);
#else
  const uint first = unit * kUnitWords;
  r.quants = LOAD_W(uvec4, other, w, first + lane);
#endif
#if defined(W_Q4_1)
  const vec2 affine = unpackHalf2x16(LOAD_W(uint, other, words, first * 4 + 256 + lane));
  r.scale = affine.x;
  r.zero = -affine.y;
#elif defined(W_Q5_0)
  r.more.x = LOAD_W(uint, other, words, first * 4 + 256 + lane);
  r.scale = LOAD_W(float, other, s, first * 8 + 640 + lane) * 0.125;
#elif defined(W_Q5_1)
  r.more.x = LOAD_W(uint, other, words, first * 4 + 256 + lane);
  const vec2 affine = unpackHalf2x16(LOAD_W(uint, other, words, first * 4 + 320 + lane));
  r.scale = affine.x;
  r.zero = -affine.y;
#elif defined(W_Q6_K)
  r.more.xy = LOAD_W(uvec2, other, pairs, (first + kHighAt) * 2 + i * 64 + lane);
  // 64 pairs of int8, then the float16 of all of them.
  const int both = int(LOAD_W(uint, other, halves, (first + kScalesAt) * 8 + i * 64 + lane));
  const float d = LOAD_W(float, other, s, (first + kScalesAt) * 8 + 512 + lane) * 0.25;
  r.scale = d * float(bitfieldExtract(both, 0, 8));
  r.zero = d * float(bitfieldExtract(both, 8, 8));  // the scale of the other 16
#else
  const vec2 affine = six_bits(LOAD_W(uvec4, other, w, first + lane), i);
  r.scale = affine.x;
  r.zero = affine.y;
#if defined(W_Q5_K)
  r.more.x = LOAD_W(uint, other, words, (first + kHighAt) * 4 + i * 64 + lane);
#endif
#endif
  return r;
}

// Moves bits of v up, or down where `up` is negative.
uint moved(uint v, int up) { return up >= 0 ? v << up : v >> -up; }

// Codes of elements 8 j .. 8 j + 7, four to a word.
uvec2 block_codes(Unit unit, uint j) {
  const uint q = unit.quants[j];
#if defined(W_Q5_0)
  const int t = 2 * int(j);
  return uvec2(((q << 3) & 0x78787878u) | (moved(unit.more.x, 7 - t) & 0x80808080u),
               ((q >> 1) & 0x78787878u) | (moved(unit.more.x, 6 - t) & 0x80808080u));
#elif defined(W_Q6_K)
  const uint high = unit.more[j >> 1];
  const int t = 4 * int(j & 1u);
  return uvec2(((q << 2) & 0x3C3C3C3Cu) | (moved(high, 6 - t) & 0xC0C0C0C0u),
               ((q >> 2) & 0x3C3C3C3Cu) | (moved(high, 4 - t) & 0xC0C0C0C0u));
#elif defined(W_Q5_1) || defined(W_Q5_K)
  const int t = 2 * int(j);
  return uvec2((q & 0x0F0F0F0Fu) | (moved(unit.more.x, 4 - t) & 0x10101010u),
               ((q >> 4) & 0x0F0F0F0Fu) | (moved(unit.more.x, 3 - t) & 0x10101010u));
#else
  return uvec2(q & 0x0F0F0F0Fu, (q >> 4) & 0x0F0F0F0Fu);
#endif
}

// As linear.comp's own.
void unpack(Unit unit, uint j, out float v[kStep]) {
#if defined(MANTISSA) && (defined(W_Q4_1) || defined(W_Q4_K))
  nibbles_of(unit.quants[j], false, v);
#else
  const uvec2 codes = block_codes(unit, j);
#if defined(W_Q5_0) || defined(W_Q6_K)
  byte_pairs(codes.x, codes.y, true, v);
#else
  byte_pairs(codes.x, codes.y, false, v);
#endif
#endif
}
