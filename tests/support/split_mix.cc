#include "support/split_mix.h"

#include <algorithm>

namespace polaris::test {

std::vector<std::byte> split_mix(std::uint64_t state, std::size_t count) {
  std::vector<std::byte> out(count);
  for (std::size_t i = 0; i < count; i += 8) {
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    for (std::size_t j = i; j < std::min(count, i + 8); ++j, z >>= 8) {
      out[j] = static_cast<std::byte>(z & 255u);
    }
  }
  return out;
}

}  // namespace polaris::test
