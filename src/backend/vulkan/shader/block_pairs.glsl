// Two neighbouring elements of a block as the file has it: block_pair(block, p) is elements 2 p and
// 2 p + 1 of a table's block. The including shader defines the format and `blocks`, the table as
// 16-bit words; blocks are a whole number of those. All products are exact, so that it does not
// matter whether a driver contracts what is added to them.
#include "block_halves.glsl"

uint half_at(uint i) { return uint(blocks[i]); }
float scale_at(uint i) { return unpackHalf2x16(half_at(i)).x; }
// Byte b after the word `first`.
uint byte_at(uint first, uint b) { return (half_at(first + (b >> 1)) >> (8 * (b & 1u))) & 255u; }
vec2 low_bits(uint word, uint mask) { return vec2(word & mask, (word >> 8) & mask); }

// Bits 2 p and 2 p + 1 of the 32 that follow the word `first`, moved up by `up`.
vec2 two_bits(uint first, uint p, float up) {
  const uint word = half_at(first + (p >> 3)) >> (2 * (p & 7u));
  return vec2(word & 1u, (word >> 1) & 1u) * up;
}

#if defined(Q4_0) || defined(Q4_1) || defined(Q5_0) || defined(Q5_1)
// Nibbles of 16 bytes after the word `first`: the low ones, then the high ones.
vec2 nibble_pair(uint first, uint p) {
  return low_bits(half_at(first + (p & 7u)) >> (p < 8 ? 0 : 4), 15u);
}
#endif
#if defined(Q4_K) || defined(Q5_K)
const uint kBlockPairs = 128;
// Scale and minimum of 32 elements of the block that starts at the word `first`.
vec2 six_bits(uint first, uint i) {
  const uint low = byte_at(first + 2, i & 3u), min = byte_at(first + 2, 4 + (i & 3u));
  const uint high = byte_at(first + 2, 8 + (i & 3u));
  const vec2 both = i < 4 ? vec2(low & 63u, min & 63u)
                          : vec2((high & 15u) | (low >> 6) << 4, (high >> 4) | (min >> 6) << 4);
  return both * vec2(scale_at(first), scale_at(first + 1));
}
// Nibbles of 32 bytes for 64 elements, after the word `first`.
vec2 wide_nibbles(uint first, uint p) {
  const uint word = half_at(first + (p >> 5) * 16 + (p & 15u));
  return low_bits(word >> ((p & 16u) == 0 ? 0 : 4), 15u);
}
#endif

#if defined(Q4_0)
const uint kBlockPairs = 16;
vec2 block_pair(uint block, uint p) {
  const uint first = block * kQ4_0Halves;
  return (nibble_pair(first + 1, p) - 8.0) * scale_at(first);
}
#elif defined(Q8_0)
const uint kBlockPairs = 16;
vec2 block_pair(uint block, uint p) {
  const uint first = block * kQ8_0Halves;
  const int word = int(half_at(first + 1 + p));
  return vec2(bitfieldExtract(word, 0, 8), bitfieldExtract(word, 8, 8)) * scale_at(first);
}
#elif defined(Q4_1)
const uint kBlockPairs = 16;
vec2 block_pair(uint block, uint p) {
  const uint first = block * kQ4_1Halves;
  return nibble_pair(first + 2, p) * scale_at(first) + scale_at(first + 1);
}
#elif defined(Q5_0)
const uint kBlockPairs = 16;
vec2 block_pair(uint block, uint p) {
  const uint first = block * kQ5_0Halves;
  return (nibble_pair(first + 3, p) + two_bits(first + 1, p, 16.0) - 16.0) * scale_at(first);
}
#elif defined(Q5_1)
const uint kBlockPairs = 16;
vec2 block_pair(uint block, uint p) {
  const uint first = block * kQ5_1Halves;
  const vec2 q = nibble_pair(first + 4, p) + two_bits(first + 2, p, 16.0);
  return q * scale_at(first) + scale_at(first + 1);
}
#elif defined(Q4_K)
vec2 block_pair(uint block, uint p) {
  const uint first = block * kQ4_KHalves;
  const vec2 affine = six_bits(first, p >> 4);
  return wide_nibbles(first + 8, p) * affine.x - affine.y;
}
#elif defined(Q5_K)
vec2 block_pair(uint block, uint p) {
  const uint first = block * kQ5_KHalves;
  const vec2 affine = six_bits(first, p >> 4);
  const uint high = half_at(first + 8 + (p & 15u)) >> (p >> 4);
  return (wide_nibbles(first + 24, p) + low_bits(high, 1u) * 16.0) * affine.x - affine.y;
}
#else
const uint kBlockPairs = 128;
vec2 block_pair(uint block, uint p) {
  const uint first = block * kQ6_KHalves;
  const uint part = p >> 6, at = p & 63u;  // of two halves of 128 elements
  const uint low = half_at(first + part * 32 + (at & 31u)) >> (at < 32 ? 0 : 4);
  const uint high = half_at(first + 64 + part * 16 + (at & 15u)) >> (2 * (at >> 4));
  const vec2 q = low_bits(low, 15u) + low_bits(high, 3u) * 16.0 - 32.0;
  const float scale = float(bitfieldExtract(int(byte_at(first + 96, p >> 3)), 0, 8));
  return q * (scale_at(first + 104) * scale);
}
#endif
