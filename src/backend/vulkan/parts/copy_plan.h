#pragma once
#include <cstdint>

#include "backend/vulkan/kernel.h"
#include "backend/vulkan/parts/strided.h"

namespace polaris::vulkan {

/// A move of elements: loops in which operand 0 is read from and operand 1 written to.
struct Copy {
  Operand from;
  Operand to;
  std::int64_t from_bytes = 0;  // of the whole operands
  std::int64_t to_bytes = 0;
  ElementWidth width{1};
  std::int64_t from_base = 0;  // elements
  std::int64_t to_base = 0;
  Space space;
};

/// Adds the dispatches of a copy: elements are widened up to 16 bytes where both sides allow, and
/// split where an operand exceeds a binding. `barrier`: waits for the kernel's earlier dispatches.
Status add_copy(VulkanKernel& kernel, const VulkanTarget& target, const NodeDesc& node, Copy copy,
                bool barrier);

/// The pipelines that add_copy may ask for.
std::vector<ShaderVariant> copy_variants(std::string_view user);

}  // namespace polaris::vulkan
