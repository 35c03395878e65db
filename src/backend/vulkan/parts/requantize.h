#pragma once
#include <cstdint>
#include <vector>

#include "backend/vulkan/parts/kernel_util.h"

namespace polaris::vulkan {

/// How int32 sums become the quantized output of QLinearConv and QLinearMatMul, whose inputs 1, 4,
/// 6 and 7 are the scales of x, w and y and the zero point of y.
struct Requantization {
  std::vector<std::uint32_t> factors;  // float bits, one for all or one a channel, rounded once
  std::int64_t y_zero = 0;
};

/// Errors: unsupported where a scale is no constant, or not one for all or one a channel.
Result<Requantization> read_requantization(const NodeDesc& node, std::int64_t channels);

}  // namespace polaris::vulkan
