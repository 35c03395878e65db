#pragma once
#include <cstdint>

#include "gcn/wave.h"

/// What the vector opcode files share: rows of their tables and masks from lanes.
namespace polaris::gcn {

constexpr Op valu(std::uint16_t number, const char* name, Run run, std::uint8_t sources,
                  Type type = Type::kB32, std::uint8_t flags = 0) {
  return {
      .number = number, .name = name, .run = run, .type = type, .sources = sources, .flags = flags};
}

/// One byte (0 or 1) a lane to one bit a lane.
inline std::uint64_t pack_mask(const std::uint8_t* lanes) {
  std::uint64_t mask = 0;
  for (int i = 0; i < kLanes; i += 8) {
    std::uint64_t bytes = 0;
    for (int j = 0; j < 8; ++j) bytes |= std::uint64_t{lanes[i + j]} << (8 * j);
    mask |= ((bytes * 0x0102040810204080ULL) >> 56) << i;
  }
  return mask;
}

}  // namespace polaris::gcn
