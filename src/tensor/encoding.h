#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/dtype.h"

namespace polaris {

/// Block formats pack runs of the last dim. The bytes are GGUF's, row after row; d and m are
/// float16 scales, q what an element's bits say. What each byte means: block_codes.h,
/// block_decode*.cc.
enum class BlockFormat : std::uint8_t {
  kQ4_0,    // 32 elements d * (q - 8): f16 d, 16 bytes; i in the low nibble, i + 16 in the high
  kQ8_0,    // 32 elements: f16 scale d, 32 int8; d * q
  kQ4_1,    // 32: d * q + m, 4 bits
  kQ5_0,    // 32: d * (q - 16), 5 bits
  kQ5_1,    // 32: d * q + m, 5 bits
  kQ2_K,    // 256: d * s * q - m * t, 2 bits; s and t of 4 bits for each 16
  kQ3_K,    // 256: d * s * (q - 4), 3 bits; s of 6 bits, signed, for each 16
  kQ4_K,    // 256: d * s * q - m * t, 4 bits; s and t of 6 bits for each 32
  kQ5_K,    // 256: the same with 5 bits
  kQ6_K,    // 256: d * s * (q - 32), 6 bits; s of 8 bits, signed, for each 16
  kIQ4_NL,  // 32: d * one of 16 numbers
  kIQ4_XS,  // 256: d * s * one of 16 numbers; s of 6 bits, signed, for each 32
  kMXFP4,   // 32: a power of two * one of 16 numbers
  kNVFP4,   // 64: a float8 for each 16 * one of 16 numbers
  kTQ1_0,   // 256: d * (q - 1), five of three states a byte
  kTQ2_0,   // 256: d * (q - 1), 2 bits
  kIQ1_S,   // 256: from here on, runs of 8 or 4 elements are entries of a codebook
  kIQ1_M,
  kIQ2_XXS,
  kIQ2_XS,
  kIQ2_S,
  kIQ3_XXS,
  kIQ3_S,
};
inline constexpr int kBlockFormatCount = 23;
/// Of any format.
inline constexpr std::int64_t kBlockElementsMax = 256;

struct BlockFormatInfo {
  std::string_view name;  // "q4_0"
  std::int64_t block_elements;
  std::int64_t block_bytes;
};
const BlockFormatInfo& block_format_info(BlockFormat format);
std::optional<BlockFormat> block_format_from_name(std::string_view name);

/// How elements are stored. The element type of an encoded tensor is the type it decodes to.
///   plain   element by element
///   affine  dtype integers of `storage` width; real = scale * (q - zero_point); the scale and zero
///           point tensors stand beside the bytes in the Constant. axis -1: one scale for all;
///           else one per index of `axis` (block 0) or per `block` elements along it.
///   block   GGUF-style blocks along the last dim, whose size is a multiple of block_elements
struct Encoding {
  enum class Kind : std::uint8_t { kPlain, kAffine, kBlock };
  Kind kind = Kind::kPlain;
  BlockFormat format = BlockFormat::kQ4_0;  // kBlock
  std::int8_t axis = -1;                    // kAffine
  DType storage = DType::kI8;               // kAffine: of the stored integers
  std::int32_t block = 0;                   // kAffine

  static Encoding plain() { return {}; }
  static Encoding of(BlockFormat format) {
    Encoding e;
    e.kind = Kind::kBlock;
    e.format = format;
    return e;
  }
  bool is_plain() const { return kind == Kind::kPlain; }
  bool is_block() const { return kind == Kind::kBlock; }
  friend bool operator==(const Encoding&, const Encoding&) = default;
};

}  // namespace polaris
