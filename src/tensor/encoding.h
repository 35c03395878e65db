#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/dtype.h"

namespace polaris {

/// Block formats pack runs of the last dim. The bytes are GGUF's, row after row.
enum class BlockFormat : std::uint8_t {
  kQ4_0,  // 32 elements d * (q - 8): f16 d, 16 bytes; i in the low nibble, i + 16 in the high
  kQ8_0,  // 32 elements: f16 scale d, 32 int8; d * q
};
inline constexpr int kBlockFormatCount = 2;

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
