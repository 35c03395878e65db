#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "ir/constant.h"
#include "tensor/encoding.h"

namespace polaris::vulkan {

/// The block format whose numbers those of an affine matrix [n, k] of 4 bits are, to the bit: its
/// scales, and what its zero points take off, are float16, one for a multiple of 32 of k.
std::optional<BlockFormat> blocks_of_affine(const Constant& weight);
/// The same numbers in blocks of that format.
std::vector<std::byte> affine_as_blocks(const Constant& weight, BlockFormat format);

}  // namespace polaris::vulkan
