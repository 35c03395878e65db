#include "ir/op_util/resize_plan.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace polaris {
namespace {

/// One scale for all axes, so that none is larger (or smaller) than wanted.
double kept_scale(const Shape& in, const std::vector<int>& axes,
                  const std::vector<std::int64_t>& sizes, bool smallest) {
  double out = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double scale = static_cast<double>(sizes[i]) / static_cast<double>(in[axes[i]]);
    out = i == 0 ? scale : smallest ? std::min(out, scale) : std::max(out, scale);
  }
  return out;
}

}  // namespace

Result<std::vector<int>> resized_axes(const ResizeAttrs& attrs, int rank) {
  std::vector<int> out;
  for (int i = 0; attrs.axes.empty() && i < rank; ++i) out.push_back(i);
  for (std::int64_t axis : attrs.axes) {
    const auto at = normalize_axis(axis, rank);
    if (!at || std::find(out.begin(), out.end(), *at) != out.end()) {
      return Error::invalid("axes, got " + std::to_string(axis) +
                            ", wanted each once and of a tensor of rank " + std::to_string(rank));
    }
    out.push_back(*at);
  }
  return out;
}

std::int64_t scaled_size(std::int64_t in, double scale) {
  if (!is_static_dim(in)) return scale == 1 ? in : kUnknownDim;
  if (scale == 1) return in;
  const float size = std::floor(static_cast<float>(in) * static_cast<float>(scale));
  return static_cast<double>(size) <= kResizedMax ? static_cast<std::int64_t>(size) : kUnknownDim;
}

Result<std::vector<AxisResize>> plan_resize(const Shape& in, const ResizeAttrs& attrs,
                                            const ResizeValues& values) {
  const auto axes = resized_axes(attrs, in.rank());
  if (!axes) return axes.error();
  const auto& [roi, scales, sizes] = values;
  std::vector<AxisResize> plan(static_cast<std::size_t>(in.rank()));
  for (int d = 0; d < in.rank(); ++d) {
    plan[static_cast<std::size_t>(d)].in = in[d];
    plan[static_cast<std::size_t>(d)].out = in[d];
  }
  const bool stretch = attrs.keep_aspect_ratio_policy == "stretch";
  const double kept =
      scales.empty() && !stretch
          ? kept_scale(in, *axes, sizes, attrs.keep_aspect_ratio_policy == "not_larger")
          : 0;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    AxisResize& axis = plan[static_cast<std::size_t>((*axes)[i])];
    if (!scales.empty()) {
      axis.scale = scales[i];
      axis.out = scaled_size(axis.in, scales[i]);
    } else if (stretch) {
      axis.out = sizes[i];
      axis.scale = static_cast<double>(sizes[i]) / static_cast<double>(axis.in);
    } else {
      axis.scale = kept;
      const double size = std::floor(kept * static_cast<double>(axis.in) + 0.5);
      axis.out = size <= kResizedMax ? static_cast<std::int64_t>(size) : kUnknownDim;
    }
    if (!is_static_dim(axis.out) || static_cast<double>(axis.out) > kResizedMax ||
        (axis.in == 0 && axis.out != 0)) {
      return Error::invalid("size, got more than can be of a dim of " + std::to_string(axis.in));
    }
  }
  const bool crops = attrs.coordinate_transformation_mode == "tf_crop_and_resize";
  for (std::size_t i = 0; crops && !roi.empty() && i < axes->size(); ++i) {
    AxisResize& axis = plan[static_cast<std::size_t>((*axes)[i])];
    axis.roi_start = roi[i];
    axis.roi_end = roi[axes->size() + i];
  }
  return plan;
}

std::vector<AxisTaps> resize_taps(const std::vector<AxisResize>& plan, const ResizeAttrs& attrs) {
  std::vector<AxisTaps> taps;
  for (const AxisResize& axis : plan) {
    taps.push_back(is_kept(axis, attrs) ? AxisTaps{} : make_taps(axis, attrs));
  }
  return taps;
}

}  // namespace polaris
