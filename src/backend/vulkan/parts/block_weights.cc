#include "backend/vulkan/parts/block_weights.h"

#include <cstring>

#include "backend/vulkan/parts/block_shaders.h"
#include "tensor/block_codes.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kRows = kLinearRows;

void put_word(std::byte* to, std::uint32_t word) { std::memcpy(to, &word, 4); }

/// The low four bits of 32 codes: word j has elements 8 j .. 8 j + 3 in low nibbles, the next
/// four in high ones.
void put_nibbles(const std::uint8_t* codes, std::byte* to) {
  for (int j = 0; j < 4; ++j, codes += 8) {
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t both = (codes[i] & 15u) | (codes[i + 4] & 15u) << 4;
      word |= both << (8 * i);
    }
    put_word(to + 4 * j, word);
  }
}
/// Bit 4 of 32 codes: bit t of byte i is element 4 t + i.
std::uint32_t fifth_bits(const std::uint8_t* codes) {
  std::uint32_t word = 0;
  for (int e = 0; e < 32; ++e) word |= ((codes[e] >> 4) & 1u) << (8 * (e % 4) + e / 4);
  return word;
}
/// Bits 4 and 5 of 16 codes: bits 2 t of byte i are those of element 4 t + i.
std::uint32_t top_bits(const std::uint8_t* codes) {
  std::uint32_t word = 0;
  for (int e = 0; e < 16; ++e) word |= ((codes[e] >> 4) & 3u) << (8 * (e % 4) + 2 * (e / 4));
  return word;
}

// One block as lane `lane` of a unit (of eight, where blocks are of 256) reads it.

void pack_q8_0(const std::byte* block, std::int64_t lane, std::byte* unit) {
  std::memcpy(unit + lane * 16, block + 2, 16);
  std::memcpy(unit + (kRows + lane) * 16, block + 18, 16);
  std::memcpy(unit + kRows * 32 + lane * 2, block, 2);
}
void pack_q4_0(const std::byte* block, std::int64_t lane, std::byte* unit) {
  std::uint8_t codes[kLinearUnit];
  block::nibbles<16>(block + 2, codes);
  for (std::uint8_t& code : codes) code ^= 8;  // two's complement of q - 8
  put_nibbles(codes, unit + lane * 16);
  std::memcpy(unit + kRows * 16 + lane * 2, block, 2);
}
void pack_q4_1(const std::byte* block, std::int64_t lane, std::byte* unit) {
  std::uint8_t codes[kLinearUnit];
  block::nibbles<16>(block + block::kQ41Codes, codes);
  put_nibbles(codes, unit + lane * 16);
  std::memcpy(unit + kRows * 16 + lane * 4, block, 4);
}
void pack_q5_0(const std::byte* block, std::int64_t lane, std::byte* unit) {
  std::uint8_t codes[kLinearUnit];
  block::codes_q5(block + block::kQ50High, block + block::kQ50Codes, codes);
  for (std::uint8_t& code : codes) code ^= 16;  // two's complement of q - 16
  put_nibbles(codes, unit + lane * 16);
  put_word(unit + kRows * 16 + lane * 4, fifth_bits(codes));
  std::memcpy(unit + kRows * 20 + lane * 2, block, 2);
}
void pack_q5_1(const std::byte* block, std::int64_t lane, std::byte* unit) {
  std::uint8_t codes[kLinearUnit];
  block::codes_q5(block + block::kQ51High, block + block::kQ51Codes, codes);
  put_nibbles(codes, unit + lane * 16);
  put_word(unit + kRows * 16 + lane * 4, fifth_bits(codes));
  std::memcpy(unit + kRows * 20 + lane * 4, block, 4);
}
/// The two float16 of q4_k and q5_k, then words of nibbles: the low bits of eight scales, of eight
/// minima, and the high ones, two of the scale below two of the minimum.
void put_header(const std::byte* block, std::byte* to) {
  const block::SixBits bits = block::scales_q4_k(block);
  std::uint32_t words[3] = {};
  for (int i = 0; i < 8; ++i) {
    const std::uint32_t scale = bits.scales[i];
    const std::uint32_t min = bits.mins[i];
    words[0] |= (scale & 15u) << (4 * i);
    words[1] |= (min & 15u) << (4 * i);
    words[2] |= (scale >> 4 | (min >> 4) << 2) << (4 * i);
  }
  std::memcpy(to, block, 4);
  std::memcpy(to + 4, words, 12);
}
void pack_q4_k(const std::byte* block, std::int64_t lane, std::byte* units) {
  std::uint8_t codes[block::kSuper];
  block::codes_q4_k(block, codes);
  put_header(block, units + lane * 16);
  for (int i = 0; i < 8; ++i) {
    put_nibbles(codes + 32 * i, units + kRows * 16 + (i * kRows + lane) * 16);
  }
}
void pack_q5_k(const std::byte* block, std::int64_t lane, std::byte* units) {
  std::uint8_t codes[block::kSuper];
  block::codes_q5_k(block, codes);
  put_header(block, units + lane * 16);
  for (int i = 0; i < 8; ++i) {
    put_word(units + kRows * 16 + (i * kRows + lane) * 4, fifth_bits(codes + 32 * i));
    put_nibbles(codes + 32 * i, units + kRows * 48 + (i * kRows + lane) * 16);
  }
}
void pack_q6_k(const std::byte* block, std::int64_t lane, std::byte* units) {
  std::uint8_t codes[block::kSuper];
  block::codes_q6_k(block, codes);
  for (std::uint8_t& code : codes) code ^= 32;  // two's complement of q - 32
  std::byte* high = units + kRows * 128;
  std::byte* scales = units + kRows * 192;
  for (int i = 0; i < 8; ++i) {
    put_nibbles(codes + 32 * i, units + (i * kRows + lane) * 16);
    put_word(high + (i * kRows + lane) * 8, top_bits(codes + 32 * i));
    put_word(high + (i * kRows + lane) * 8 + 4, top_bits(codes + 32 * i + 16));
    std::memcpy(scales + (i * kRows + lane) * 2, block + block::kQ6Scales + 2 * i, 2);
  }
  std::memcpy(scales + kRows * 16 + lane * 2, block + block::kQ6Scale, 2);
}

using Pack = void (*)(const std::byte* block, std::int64_t lane, std::byte* unit);
struct Packer {
  BlockFormat format;
  Pack pack;
};
constexpr Packer kPackers[] = {
    {BlockFormat::kQ4_0, pack_q4_0}, {BlockFormat::kQ8_0, pack_q8_0},
    {BlockFormat::kQ4_1, pack_q4_1}, {BlockFormat::kQ5_0, pack_q5_0},
    {BlockFormat::kQ5_1, pack_q5_1}, {BlockFormat::kQ4_K, pack_q4_k},
    {BlockFormat::kQ5_K, pack_q5_k}, {BlockFormat::kQ6_K, pack_q6_k},
};
constexpr Pack packer(BlockFormat format) {
  for (const Packer& row : kPackers) {
    if (row.format == format) return row.pack;
  }
  return nullptr;
}
static_assert(
    [] {
      for (int i = 0; i < kBlockFormatCount; ++i) {
        const auto format = static_cast<BlockFormat>(i);
        if (block_shaders(format).linear.empty() != (packer(format) == nullptr)) return false;
      }
      return true;
    }(),
    "each format with a linear shader is packed for it");

}  // namespace

void pack_linear_blocks(BlockFormat format, std::int64_t n, std::int64_t k, const std::byte* from,
                        std::byte* out) {
  const BlockFormatInfo info = block_info(format);
  const Pack pack = packer(format);
  const std::int64_t unit_bytes = linear_unit_bytes(format);
  for (std::int64_t row = 0; row < n; ++row) {
    std::byte* unit = out + row / kRows * (k / kLinearUnit) * unit_bytes;
    for (std::int64_t at = 0; at < k; at += info.block_elements, from += info.block_bytes) {
      pack(from, row % kRows, unit);
      unit += info.block_elements / kLinearUnit * unit_bytes;
    }
  }
}

}  // namespace polaris::vulkan
