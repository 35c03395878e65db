#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "backend/vulkan/kernel.h"
#include "tensor/dtype.h"
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

/// A run of the loops' linear index whose operands fit a binding each: where every operand starts
/// and how many elements of it the run touches.
struct SpacePart {
  std::int64_t elements = 0;
  std::array<std::int64_t, kSpaceOperandsMax> starts = {};
  std::array<std::int64_t, kSpaceOperandsMax> spans = {};
};

/// The loops (strides >= 0, each of at least one trip) in as few parts as the binding limit
/// allows. Shaders see the same strides in every part. Empty where that would take too many.
std::vector<SpacePart> split_space(const VulkanTarget& target, const Space& space,
                                   const std::vector<ElementWidth>& widths);

/// The binding that shows what a part touches of an operand, from an aligned byte on; `base` is the
/// part's first element within it.
Operand part_window(const VulkanTarget& target, const SpacePart& part, std::size_t operand,
                    ElementWidth width, Operand whole, std::uint32_t& base);

/// Shader words of the loops, innermost first: fast divisor (2 words), size, `operands` strides.
std::vector<std::uint32_t> space_words(const Space& space, int operands);

}  // namespace polaris::vulkan
