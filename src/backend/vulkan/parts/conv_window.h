#pragma once
#include <cstdint>
#include <vector>

#include "backend/vulkan/parts/kernel_util.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::vulkan {

/// Errors: unsupported where an operand is larger than a binding or a 32-bit index.
Status check_operands(const VulkanTarget& target, const NodeDesc& node);

/// Errors: unsupported where the window's arithmetic does not fit the shaders' 32-bit integers.
Status check_window(const NodeDesc& node, const ConvGeometry& g);

/// Appends the words of conv_window.glsl.
void append_window(std::vector<std::uint32_t>& push, const ConvGeometry& g);

}  // namespace polaris::vulkan
