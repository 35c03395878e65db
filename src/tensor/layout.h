#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "tensor/shape.h"

namespace polaris {

/// The order of a value's logical axes in memory, outermost first; the logical shape stays ONNX's
/// (N, C, spatial).
enum class Layout : std::uint8_t {
  kRowMajor,      // as the logical shape
  kChannelsLast,  // N, spatial, C; as row-major below rank 3
};
inline constexpr Layout kLayouts[] = {Layout::kRowMajor, Layout::kChannelsLast};

inline std::string_view layout_name(Layout layout) {
  return layout == Layout::kRowMajor ? "row_major" : "channels_last";
}

/// Logical axes, outermost in memory first; the first `rank` count.
using AxisOrder = std::array<int, kMaxRank>;
AxisOrder layout_order(Layout layout, int rank);

/// The dims of `shape` in memory order: the row-major shape of the same bytes.
Shape physical_shape(const Shape& shape, Layout layout);

/// The axes of `order` that are longer than 1, in that order, then the others: orders that are
/// equal so place the elements of a tensor of this (static) shape alike.
AxisOrder canonical_order(const AxisOrder& order, const Shape& shape);

/// Both layouts place the elements of a tensor of this (static) shape alike.
bool same_order(const Shape& shape, Layout a, Layout b);

}  // namespace polaris
