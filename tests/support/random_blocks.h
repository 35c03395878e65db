#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/encoding.h"

namespace polaris::test {

std::vector<BlockFormat> all_block_formats();

/// Blocks of any format: `like` encoded where the format can be, else random bits with scales that
/// keep elements within about -1 and 2. `elements` whole blocks.
void fill_blocks(BlockFormat format, const float* like, std::int64_t elements, std::byte* out);

}  // namespace polaris::test
