#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tensor/half.h"

/// The way back of block_codes.h: codes of elements into the bits of a block, which are zero
/// before.
namespace polaris::block {

inline std::byte to_byte(unsigned bits) { return static_cast<std::byte>(bits & 255u); }
inline void put_half(std::byte* p, std::uint16_t half) { std::memcpy(p, &half, sizeof half); }

/// The low four bits of 2 * kHalf codes: those of the first half are the low nibbles.
template <int kHalf>
void pack_nibbles(const std::uint8_t* codes, std::byte* p) {
  for (int i = 0; i < kHalf; ++i) {
    p[i] = to_byte((codes[i] & 15u) | (codes[i + kHalf] & 15u) << 4);
  }
}

/// Two bits from `shift` on of each of 128 codes, into 32 bytes: the lowest of the first 32 codes.
inline void pack_pairs(const std::uint8_t* codes, int shift, std::byte* p) {
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 32; ++i) {
      p[i] |= to_byte(((static_cast<unsigned>(codes[32 * j + i]) >> shift) & 3u) << (2 * j));
    }
  }
}

/// Bit `shift` of each of 256 codes, into 32 bytes: the lowest of the first 32 codes.
inline void pack_bits(const std::uint8_t* codes, int shift, std::byte* p) {
  for (int j = 0; j < 8; ++j) {
    for (int i = 0; i < 32; ++i) {
      p[i] |= to_byte(((static_cast<unsigned>(codes[32 * j + i]) >> shift) & 1u) << j);
    }
  }
}

}  // namespace polaris::block
