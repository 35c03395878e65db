#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace polaris::test {

/// Bytes of a SplitMix64, as split_mix of tests/data/make_blocks.py has them.
std::vector<std::byte> split_mix(std::uint64_t state, std::size_t count);

}  // namespace polaris::test
