#pragma once
// How panels of block-encoded weights lie in memory: what packs them and the kernels agree on this.
// Constants alone, since it is compiled for every instruction set.
#include <cstdint>

namespace polaris::cpu {

inline constexpr int kQuantBlock = 32;   // k of a block of codes
inline constexpr int kQuantSuper = 256;  // k that share a scale of scales

/// A panel is its scales, padded to 64 bytes, and its codes, a block of 32 k after the other. The
/// codes of a block and 16 rows are planes of vectors [row][4 k], 64 bytes each; byte i of row r in
/// the vector j of eight is k = 4 j + i.
///   8 bits: 8 vectors, signed
///   4 bits: 4 vectors, j in the low nibbles of vector j % 4 or, from 4 on, the high ones
///   2 bits: 2 vectors, j at bits 2 (j / 2) of vector j % 2
///   1 bit: 1 vector, j at bit j
/// Codes of 3, 5 and 6 bits are two planes, that of their low bits first.
constexpr std::int64_t code_bytes(int bits) { return 64 * bits; }

/// Scales of a panel: [block or super][16 rows] of what follows, one after the other.
struct ScaleHalf {  // float16 a block
  static constexpr int kElements = kQuantBlock, kBytes = 32;
};
struct ScaleHalfMin {  // float16 scale, float16 minimum a block
  static constexpr int kElements = kQuantBlock, kBytes = 64;
};
struct ScaleFloatMin {  // float32 scale, float32 minimum a block
  static constexpr int kElements = kQuantBlock, kBytes = 128;
};
struct ScaleTwoFloatsMin {  // the same for each half of a block
  static constexpr int kElements = kQuantBlock, kBytes = 256;
};
struct ScaleTwoHalves {  // float16 for each half of a block
  static constexpr int kElements = kQuantBlock, kBytes = 64;
};
struct ScalePower {  // a byte e a block: 2^(e - 128)
  static constexpr int kElements = kQuantBlock, kBytes = 16;
};
struct ScaleSuper {  // float16
  static constexpr int kElements = kQuantSuper, kBytes = 32;
};
struct ScaleSuper32 {  // float16, int8 [8]
  static constexpr int kElements = kQuantSuper, kBytes = 32 + 8 * 16;
};
struct ScaleSuper16 {  // float16, int8 [16]
  static constexpr int kElements = kQuantSuper, kBytes = 32 + 16 * 16;
};
struct ScaleSuper32Min {  // float16 scale, float16 minimum, uint8 [8], uint8 [8]
  static constexpr int kElements = kQuantSuper, kBytes = 64 + 16 * 16;
};
struct ScaleSuper16Min {  // float16 scale, float16 minimum, [16] nibbles of scale and minimum
  static constexpr int kElements = kQuantSuper, kBytes = 64 + 16 * 16;
};

}  // namespace polaris::cpu
