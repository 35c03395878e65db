#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "backend/vulkan/kernel.h"

/// What tells of indices out of range: a dispatch beside the one that moves data by them, so that
/// the move costs nothing more.
namespace polaris::vulkan {

/// Adds it for the indices in input `input`, of which every sizes.size() address a place: one of
/// dim d has to be below sizes[d], and from -sizes[d] on. Constants that are all in range need
/// none. The kernel reports what it finds. Errors: unsupported (a dim that int32 cannot address).
Status add_index_check(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node,
                       int input, std::span<const std::int64_t> sizes);

std::vector<ShaderVariant> index_check_variants();

}  // namespace polaris::vulkan
