#pragma once
#include <cstdint>

#include "backend/vulkan/parts/kernel_util.h"

/// What polaris.PagedAttention's attributes make of scores.
namespace polaris::vulkan {

/// By what a dot product of `head` elements is multiplied.
float score_scale(const NodeDesc& node, std::int64_t head);
/// Positions that a token sees, up to its own; UINT32_MAX: all.
std::uint32_t score_window(const NodeDesc& node);

}  // namespace polaris::vulkan
