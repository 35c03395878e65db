#pragma once
#include <array>
#include <cstdint>

namespace polaris {

/// Philox 4x32 with 10 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3", 2011): random bits as a function of a counter and a key, with no state between.
std::array<std::uint32_t, 4> philox_4x32(std::array<std::uint32_t, 4> counter,
                                         std::array<std::uint32_t, 2> key);

/// Which draw is meant. Equal places give equal numbers on every machine, in whatever order they
/// are asked for.
struct DrawPlace {
  std::uint64_t seed = 0;
  std::uint64_t sequence = 0;  // one of several texts of a seed
  std::uint32_t position = 0;  // of the token that is drawn, in its text
  std::uint32_t draw = 0;      // one of several for a token
};

/// A number in [0, 1), a multiple of 2^-53.
double uniform_at(const DrawPlace& place);

}  // namespace polaris
