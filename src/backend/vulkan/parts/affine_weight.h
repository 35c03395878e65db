#pragma once
#include <memory>
#include <string>

#include "backend/vulkan/kernel.h"

namespace polaris::vulkan {

/// How an affine constant stands in device memory: its integers as they are, then the scales as
/// float32, then the zero points as integers; each from an aligned byte on.
struct AffineWeight {
  DType storage = DType::kI8;
  std::uint32_t mode = 0;  // of affine.glsl
  std::int64_t axis = 1;   // the tensor as [outer, axis, inner]
  std::int64_t inner = 1;
  std::int64_t block = 1;  // elements of the axis that share a scale
  bool zero = false;
  std::int64_t data_bytes = 0;
  std::int64_t scale_at = 0;
  std::int64_t zero_at = 0;
  std::int64_t bytes = 0;

  Operand scales(int input) const;
  Operand zeros(int input) const;
};

/// Errors: unsupported where input `i` is no constant of 8-bit integers.
Result<AffineWeight> read_affine_weight(const VulkanTarget& target, const NodeDesc& node,
                                        std::size_t i);

/// A kernel that reads input `input` as AffineWeight says.
std::shared_ptr<VulkanKernel> make_affine_kernel(std::string name, int input,
                                                 const AffineWeight& weight);

}  // namespace polaris::vulkan
