#include "backend/vulkan/parts/strided.h"

#include <algorithm>
#include <utility>

#include "backend/vulkan/parts/kernel_util.h"
#include "backend/vulkan/parts/opcode.h"

namespace polaris::vulkan {
namespace {

// Indices are 31 bits wide in shaders (see fast_div).
constexpr std::int64_t kElementsMax = std::int64_t{1} << 30;

constexpr std::size_t kPartsMax = 4096;

/// Cuts loops from the outermost inwards until the operands fit.
class Splitter {
 public:
  Splitter(const VulkanTarget& target, const Space& space, const std::vector<ElementWidth>& widths)
      : space_(space), widths_(widths), limit_(target.binding_bytes_max) {
    // A binding of a part starts at the aligned byte before its first element.
    if (!fits(0, space.front().size)) limit_ -= target.alignment_bytes;
  }

  std::vector<SpacePart> split() {
    if (!cut(0, {})) parts_.clear();
    return std::move(parts_);
  }

 private:
  using Starts = std::array<std::int64_t, kSpaceOperandsMax>;

  std::int64_t inner_elements(std::size_t level) const {
    std::int64_t count = 1;
    for (std::size_t d = level + 1; d < space_.size(); ++d) count *= space_[d].size;
    return count;
  }

  /// Elements of an operand that `rows` trips of loop `level` and all loops inside touch.
  std::int64_t span(std::size_t level, std::int64_t rows, std::size_t operand) const {
    std::int64_t last = (rows - 1) * space_[level].strides[operand];
    for (std::size_t d = level + 1; d < space_.size(); ++d) {
      last += (space_[d].size - 1) * space_[d].strides[operand];
    }
    return last + 1;
  }

  bool fits(std::size_t level, std::int64_t rows) const {
    if (rows * inner_elements(level) > kElementsMax) return false;
    for (std::size_t o = 0; o < widths_.size(); ++o) {
      if (widths_[o].of(span(level, rows, o)) > limit_) return false;
    }
    return true;
  }

  /// The most trips of loop `level` that fit; 0: none.
  std::int64_t rows_that_fit(std::size_t level) const {
    std::int64_t low = 0;
    std::int64_t high = space_[level].size;
    while (low < high) {
      const std::int64_t middle = high - (high - low) / 2;
      if (fits(level, middle)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  bool cut(std::size_t level, const Starts& starts) {
    const std::int64_t size = space_[level].size;
    const std::int64_t rows = rows_that_fit(level);
    if (rows == 0 && level + 1 == space_.size()) return false;
    const std::int64_t step = rows == 0 ? 1 : rows;
    for (std::int64_t row = 0; row < size; row += step) {
      Starts here = starts;
      for (std::size_t o = 0; o < widths_.size(); ++o) {
        here[o] += row * space_[level].strides[o];
      }
      if (rows == 0) {
        if (!cut(level + 1, here)) return false;
        continue;
      }
      const std::int64_t trips = std::min(rows, size - row);
      SpacePart part{trips * inner_elements(level), here, {}};
      for (std::size_t o = 0; o < widths_.size(); ++o) part.spans[o] = span(level, trips, o);
      parts_.push_back(part);
      if (parts_.size() > kPartsMax) return false;
    }
    return true;
  }

  const Space& space_;
  const std::vector<ElementWidth>& widths_;
  std::int64_t limit_;
  std::vector<SpacePart> parts_;
};

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

std::vector<SpacePart> split_space(const VulkanTarget& target, const Space& space,
                                   const std::vector<ElementWidth>& widths) {
  return Splitter(target, space, widths).split();
}

Operand part_window(const VulkanTarget& target, const SpacePart& part, std::size_t operand,
                    ElementWidth width, Operand whole, std::uint32_t& base) {
  const std::int64_t start = width.of(part.starts[operand]);
  const std::int64_t aligned = start / target.alignment_bytes * target.alignment_bytes;
  base = static_cast<std::uint32_t>((start - aligned) / width.raw());
  whole.offset += aligned;
  whole.bytes = start - aligned + width.of(part.spans[operand]);
  return whole;
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
