#pragma once
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "ir/op_attrs/resize.h"
#include "ir/op_util/resample.h"
#include "tensor/shape.h"

/// A whole Resize, axis by axis.
namespace polaris {

/// Keeps places in the input far inside what a double counts exactly.
inline constexpr double kResizedMax = 4294967296.0;

/// What its operands say, each in the order of the resized axes: scales or, where they are empty,
/// sizes; roi has the starts and then the ends.
struct ResizeValues {
  std::vector<double> roi;
  std::vector<double> scales;
  std::vector<std::int64_t> sizes;
};

/// The axes that scales and sizes are for, counted from the front. Errors: invalid, without a
/// prefix.
Result<std::vector<int>> resized_axes(const ResizeAttrs& attrs, int rank);
/// The size that a scale makes of another, unknown where that is. The product is a float's, as
/// ONNX's shape inference and its users have it.
std::int64_t scaled_size(std::int64_t in, double scale);
/// What becomes of each axis of an input of static dims; its size alone needs no roi. Errors:
/// invalid, without a prefix.
Result<std::vector<AxisResize>> plan_resize(const Shape& in, const ResizeAttrs& attrs,
                                            const ResizeValues& values);
/// The taps of each axis of such a plan; none at all (no `first`) along one that is kept.
std::vector<AxisTaps> resize_taps(const std::vector<AxisResize>& plan, const ResizeAttrs& attrs);

}  // namespace polaris
