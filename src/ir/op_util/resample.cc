#include "ir/op_util/resample.h"

#include <algorithm>
#include <cmath>

namespace polaris {
namespace {

bool crops(const ResizeAttrs& attrs) {
  return attrs.coordinate_transformation_mode == "tf_crop_and_resize";
}

/// Where element `x` of the output lies in the input. A length that comes of a scale is no whole
/// number, and counts as it is.
double source_place(const AxisResize& axis, double x, std::string_view mode) {
  const auto in = static_cast<double>(axis.in);
  const double length = axis.scale * in;
  if (mode == "align_corners") return length == 1 ? 0 : x * (in - 1) / (length - 1);
  if (mode == "asymmetric") return x / axis.scale;
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5) / axis.scale;
  if (mode == "tf_crop_and_resize") {
    const double extent = (axis.roi_end - axis.roi_start) * (in - 1);
    const double along = length == 1 ? extent / 2 : x * extent / (length - 1);
    return along + axis.roi_start * (in - 1);
  }
  if (mode == "pytorch_half_pixel" && axis.out == 1) return 0;
  // What the middle of the output moves by, where a fraction of its length was dropped.
  const double moved =
      mode == "half_pixel_symmetric" ? in / 2 * (1 - static_cast<double>(axis.out) / length) : 0;
  return moved + (x + 0.5) / axis.scale - 0.5;
}

double nearest(double x, std::string_view mode) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  return mode == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5);
}

/// The filter at a distance from its middle.
double filter_at(double distance, const ResizeAttrs& attrs) {
  const double x = std::fabs(distance);
  if (attrs.mode == "linear") return std::max(0.0, 1 - x);
  const auto a = static_cast<double>(attrs.cubic_coeff_a);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// The filter around `x`, stretched where it has to smooth; what lies outside counts as the edge,
/// or not at all.
void add_filter(const AxisResize& axis, double x, const ResizeAttrs& attrs, AxisTaps& out) {
  const double stretch = attrs.antialias ? std::min(axis.scale, 1.0) : 1.0;
  const double reach = attrs.mode == "linear" ? 1 : 2;
  const auto base = static_cast<std::int64_t>(std::ceil(x)) - 1;
  const double ratio = x - static_cast<double>(base);
  const auto from = static_cast<std::int64_t>(std::floor(-reach / stretch)) + 1;
  const std::size_t begin = out.taps.size();
  double sum = 0;
  for (std::int64_t k = from; k < 2 - from; ++k) {
    double weight = filter_at(stretch * (static_cast<double>(k) - ratio), attrs);
    const std::int64_t at = base + k;
    if (attrs.exclude_outside && (at < 0 || at >= axis.in)) weight = 0;
    sum += weight;
    out.taps.push_back({std::clamp<std::int64_t>(at, 0, axis.in - 1), weight});
  }
  if (!attrs.antialias && !attrs.exclude_outside) return;
  for (std::size_t k = begin; k < out.taps.size(); ++k) out.taps[k].weight /= sum;
}

}  // namespace

std::array<double, 4> cubic_weights(double t, double a) {
  const auto near = [a](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [a](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

bool is_kept(const AxisResize& axis, const ResizeAttrs& attrs) {
  return axis.in == axis.out && axis.scale == 1 &&
         attrs.coordinate_transformation_mode != "tf_half_pixel_for_nn" &&
         (!crops(attrs) || (axis.roi_start == 0 && axis.roi_end == 1));
}

AxisTaps make_taps(const AxisResize& axis, const ResizeAttrs& attrs) {
  AxisTaps out;
  out.first.push_back(0);
  const double last = static_cast<double>(axis.in) - 1;
  for (std::int64_t o = 0; o < axis.out; ++o) {
    const double x =
        source_place(axis, static_cast<double>(o), attrs.coordinate_transformation_mode);
    // Far outside all is the edge; a place that is no number is outside.
    const double place = std::isnan(x) ? -1 : std::clamp(x, -1.0, last + 1);
    if (crops(attrs) && !(x >= 0 && x <= last)) {
      out.first.push_back(out.taps.size());
      continue;
    }
    if (attrs.mode == "nearest") {
      const double at = std::clamp(nearest(place, attrs.nearest_mode), 0.0, last);
      out.taps.push_back({static_cast<std::int64_t>(at), 1});
    } else {
      add_filter(axis, place, attrs, out);
    }
    out.first.push_back(out.taps.size());
  }
  return out;
}

}  // namespace polaris
