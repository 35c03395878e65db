#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "ir/op_def.h"

namespace polaris {

/// A slice of a static shape: output dim i runs over starts[i] + j * steps[i].
struct SliceGeometry {
  Shape starts;
  Shape steps;
  Shape sizes;
};

/// Start and size of one sliced dim, clamped as ONNX clamps; step is not 0.
struct SliceDim {
  std::int64_t start = 0;
  std::int64_t size = 0;
};
SliceDim slice_dim(std::int64_t dim, std::int64_t start, std::int64_t end, std::int64_t step);
/// The slice of `shape` by inputs 1 to 4 of Slice (axes and steps empty: their defaults), or
/// nothing where an axis is out of range or named twice, a step is 0, or lengths differ.
std::optional<SliceGeometry> slice_geometry(const Shape& shape,
                                            std::span<const std::int64_t> starts,
                                            std::span<const std::int64_t> ends,
                                            std::span<const std::int64_t> axes,
                                            std::span<const std::int64_t> steps);

/// Byte offset of a contiguous box of `sizes` at `starts` in a row-major tensor, or nothing where
/// the box is not one run of bytes.
std::optional<std::int64_t> contiguous_offset(const TensorType& whole, const Shape& starts,
                                              const Shape& sizes);

}  // namespace polaris
