#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backend/vulkan/kernel.h"

/// Small things that every family needs.
namespace polaris::vulkan {

/// `[Op] node 'x': what`, as an unsupported error.
Error refuse(const NodeDesc& node, std::string_view what);

/// A grid of `groups` workgroups folded into x and y; shaders take group_index() and compare it
/// with their own count, because the fold may round up.
std::array<std::uint32_t, 3> grid_1d(const VulkanTarget& target, std::int64_t groups);

/// Modelled time of a dispatch on an RX 580: the larger of memory and arithmetic, and a start-up.
double model_us(std::int64_t bytes, std::int64_t flops);

/// Fills the kernel's counts: the dispatches' estimates, the operands' bytes, the op's flops. Every
/// family calls it last.
void finish_estimate(VulkanKernel& kernel, const NodeDesc& node);

/// Type code of a float that shaders can load (elements.glsl), else an error that names it. An
/// absent operand counts as float32.
Result<std::uint32_t> float_code(const NodeDesc& node, const OperandDesc& operand);
/// float_code of inputs [first, last), a byte each, the first in the low one.
Result<std::uint32_t> float_codes(const NodeDesc& node, std::size_t first, std::size_t last);

/// "" for float32, else " float16" and the like: what a variant's name ends in.
std::string variant_suffix(DType dtype);

/// Bytes of an operand's type; 0 for an absent one.
std::int64_t operand_bytes(const OperandDesc& operand);
/// Elements of an operand, 0 for an absent one.
std::int64_t operand_elements(const OperandDesc& operand);

inline std::uint32_t float_bits(float value) { return std::bit_cast<std::uint32_t>(value); }

/// Multiplier and shift so that n / d == (mulhi(n, multiplier) + n) >> shift for n < 2^31.
struct FastDivisor {
  std::uint32_t multiplier = 0;
  std::uint32_t shift = 0;
};
FastDivisor fast_divisor(std::uint32_t divisor);

/// Appends words to a kernel's params; returns the byte offset where they start, aligned so that it
/// can be an operand of its own.
std::int64_t append_params(VulkanKernel& kernel, std::span<const std::uint32_t> words,
                           std::int64_t alignment_bytes);

}  // namespace polaris::vulkan
