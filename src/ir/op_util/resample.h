#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "ir/op_attrs/resize.h"

/// Resize along one axis: which elements of the input an element of the output is made of.
namespace polaris {

/// Weights of the elements at -1, 0, 1 and 2 for a place `t` in [0, 1] between 0 and 1.
std::array<double, 4> cubic_weights(double t, double a);

struct AxisResize {
  std::int64_t in = 1;
  std::int64_t out = 1;
  double scale = 1;
  double roi_start = 0;
  double roi_end = 1;
};

struct Tap {
  std::int64_t index = 0;
  double weight = 1;
};

/// Output o is the sum of taps [first[o], first[o + 1]); none: it lies outside the input, and is
/// the extrapolation value.
struct AxisTaps {
  std::vector<Tap> taps;
  std::vector<std::size_t> first;

  bool outside(std::int64_t o) const {
    return first[static_cast<std::size_t>(o)] == first[static_cast<std::size_t>(o) + 1];
  }
};

/// Nothing changes along the axis.
bool is_kept(const AxisResize& axis, const ResizeAttrs& attrs);
AxisTaps make_taps(const AxisResize& axis, const ResizeAttrs& attrs);

}  // namespace polaris
