#include "backend/vulkan/strided.h"

#include <algorithm>

#include "backend/vulkan/kernel_util.h"
#include "backend/vulkan/opcode.h"
#include "base/checked.h"

namespace polaris::vulkan {
namespace {

// Indices are 31 bits wide in shaders (see fast_div).
constexpr std::int64_t kElementsMax = std::int64_t{1} << 30;

std::int64_t inner_elements(const Space& space) {
  std::int64_t count = 1;
  for (std::size_t d = 1; d < space.size(); ++d) count *= space[d].size;
  return count;
}

}  // namespace

std::vector<std::int64_t> broadcast_strides(const Shape& from, const Shape& to) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(to.rank()), 0);
  const Shape own = row_major_strides(from);
  const int shift = to.rank() - from.rank();
  for (int d = 0; d < from.rank(); ++d) {
    if (from[d] != 1) strides[static_cast<std::size_t>(d + shift)] = own[d];
  }
  return strides;
}

Space broadcast_space(const Shape& out, const std::vector<Shape>& operands) {
  Space space(static_cast<std::size_t>(out.rank()));
  for (std::size_t o = 0; o < operands.size(); ++o) {
    const std::vector<std::int64_t> strides = broadcast_strides(operands[o], out);
    for (std::size_t d = 0; d < space.size(); ++d) space[d].strides[o] = strides[d];
  }
  for (std::size_t d = 0; d < space.size(); ++d) space[d].size = out[static_cast<int>(d)];
  return merge_space(space, static_cast<int>(operands.size()));
}

Space merge_space(const Space& space, int operands) {
  Space merged;
  for (const SpaceDim& dim : space) {
    if (dim.size == 1) continue;
    bool joins = !merged.empty();
    for (std::size_t o = 0; joins && o < static_cast<std::size_t>(operands); ++o) {
      joins = merged.back().strides[o] == dim.strides[o] * dim.size;
    }
    if (joins) {
      merged.back().size *= dim.size;
      merged.back().strides = dim.strides;
    } else {
      merged.push_back(dim);
    }
  }
  if (merged.empty()) merged.emplace_back();
  return merged;
}

std::int64_t space_elements(const Space& space) {
  std::int64_t count = 1;
  for (const SpaceDim& dim : space) count *= dim.size;
  return count;
}

std::uint32_t operand_mode(const Space& space, int operand) {
  bool same = true;
  bool scalar = true;
  std::int64_t stride = 1;
  for (auto dim = space.rbegin(); dim != space.rend(); ++dim) {
    const std::int64_t own = dim->strides[static_cast<std::size_t>(operand)];
    if (dim->size != 1 && own != stride) same = false;
    if (dim->size != 1 && own != 0) scalar = false;
    stride *= dim->size;
  }
  // A single element is scalar: the cheaper of two truths.
  return scalar ? kModeScalar : same ? kModeSame : kModeStrided;
}

std::int64_t rows_per_dispatch(const VulkanTarget& target, const Space& space,
                               const std::vector<std::int64_t>& element_bytes,
                               const std::vector<std::int64_t>& bytes) {
  const std::int64_t rows = space.front().size;
  const std::int64_t inner = std::max<std::int64_t>(inner_elements(space), 1);
  std::int64_t fit = std::min(rows, kElementsMax / inner);
  for (std::size_t o = 0; o < bytes.size(); ++o) {
    const std::int64_t row_bytes = space.front().strides[o] * element_bytes[o];
    if (bytes[o] <= target.binding_bytes_max) continue;
    if (row_bytes <= 0) return 0;
    fit = std::min(fit, target.binding_bytes_max / row_bytes);
  }
  if (fit >= rows) return rows;
  for (std::int64_t tries = 0; fit > 0 && tries < target.alignment_bytes; ++tries, --fit) {
    bool aligned = true;
    for (std::size_t o = 0; o < bytes.size(); ++o) {
      const std::int64_t start = fit * space.front().strides[o] * element_bytes[o];
      aligned = aligned && start % target.alignment_bytes == 0;
    }
    if (aligned) return fit;
  }
  return 0;
}

std::vector<std::uint32_t> space_words(const Space& space, int operands) {
  std::vector<std::uint32_t> words;
  for (auto dim = space.rbegin(); dim != space.rend(); ++dim) {
    const auto size = static_cast<std::uint32_t>(dim->size);
    const FastDivisor divisor = fast_divisor(size);
    words.insert(words.end(), {divisor.multiplier, divisor.shift, size});
    for (std::size_t o = 0; o < static_cast<std::size_t>(operands); ++o) {
      // Negative strides wrap: 32-bit sums come out right.
      words.push_back(static_cast<std::uint32_t>(dim->strides[o]));
    }
  }
  return words;
}

}  // namespace polaris::vulkan
