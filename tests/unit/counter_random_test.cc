#include "text/counter_random.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace polaris {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("philox 4x32-10 gives the published words") {
  // kat_vectors of the authors' Random123.
  CHECK(philox_4x32({0, 0, 0, 0}, {0, 0}) ==
        Words{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  CHECK(philox_4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        Words{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  CHECK(philox_4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u},
                    {0xa4093822u, 0x299f31d0u}) ==
        Words{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("every part of the place counts, its upper halves too") {
  const double base = uniform_at({1, 2, 3, 4});
  CHECK(uniform_at({1, 2, 3, 4}) == base);
  CHECK(uniform_at({1 + (std::uint64_t{1} << 32), 2, 3, 4}) != base);
  CHECK(uniform_at({2, 2, 3, 4}) != base);
  CHECK(uniform_at({1, 3, 3, 4}) != base);
  CHECK(uniform_at({1, 2 + (std::uint64_t{1} << 32), 3, 4}) != base);
  CHECK(uniform_at({1, 2, 4, 4}) != base);
  CHECK(uniform_at({1, 2, 3, 5}) != base);
}

TEST_CASE("uniform numbers are uniform over positions, sequences and seeds") {
  constexpr int kDraws = 100000;
  constexpr int kBins = 64;
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<int> counts(kBins, 0);
    for (int i = 0; i < kDraws; ++i) {
      const auto n = static_cast<std::uint64_t>(i);
      const double u = axis == 0   ? uniform_at({9, 0, static_cast<std::uint32_t>(i), 0})
                       : axis == 1 ? uniform_at({9, n, 0, 0})
                                   : uniform_at({n, 0, 0, 0});
      REQUIRE(u >= 0);
      REQUIRE(u < 1);
      ++counts[static_cast<std::size_t>(u * kBins)];
    }
    double chi = 0;
    for (const int count : counts) {
      const double expected = static_cast<double>(kDraws) / kBins;
      chi += (count - expected) * (count - expected) / expected;
    }
    CHECK(chi < 113.5);  // 63 degrees of freedom, 1 in 10,000
  }
}

}  // namespace
}  // namespace polaris
