#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "tensor/shape.h"

/// Index spaces: loops over an output with a stride per operand and dim, merged as far as they go.
namespace polaris::vulkan {

inline constexpr int kSpaceOperandsMax = 9;

/// One loop: `size` trips, moving each operand by its stride (in elements, 0 for broadcast).
struct SpaceDim {
  std::int64_t size = 1;
  std::array<std::int64_t, kSpaceOperandsMax> strides = {};
};

/// Loops from the outermost to the innermost.
using Space = std::vector<SpaceDim>;

/// Strides of `from` (row-major) along the dims of `to` under NumPy broadcasting.
std::vector<std::int64_t> broadcast_strides(const Shape& from, const Shape& to);
/// The space of `out` with each operand broadcast to it, merged.
Space broadcast_space(const Shape& out, const std::vector<Shape>& operands);
/// Drops loops of one trip and joins neighbours that walk every operand evenly. An empty result
/// becomes one loop of one trip.
Space merge_space(const Space& space, int operands);
std::int64_t space_elements(const Space& space);

/// kModeSame, kModeScalar or kModeStrided of one operand, seen against the loops' linear index.
std::uint32_t operand_mode(const Space& space, int operand);

/// How many trips of the outermost loop fit one dispatch, so that the bytes of every operand stay
/// within a binding and every start is aligned; 0 where none fit. `element_bytes` and `bytes` are
/// per operand.
std::int64_t rows_per_dispatch(const VulkanTarget& target, const Space& space,
                               const std::vector<std::int64_t>& element_bytes,
                               const std::vector<std::int64_t>& bytes);

/// Shader words of the loops, innermost first: fast divisor (2 words), size, `operands` strides.
std::vector<std::uint32_t> space_words(const Space& space, int operands);

}  // namespace polaris::vulkan
