#pragma once
#include <algorithm>
#include <cstdint>

#include "base/checked.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {

/// One tap of a window for a run of positions of one output row: position o in [begin, end) reads
/// element `from` + o * stride of the channel's plane.
struct TapRun {
  std::int64_t k = 0;  // the tap's index in the kernel
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t from = 0;
};

/// Calls visit(TapRun) for the taps of an output row (of dims 0 and 1), in order of k, those
/// without positions inside the input left out. As k grows within a kernel row, begin and end fall.
template <class Visit>
void each_tap_run(const ConvGeometry& g, std::int64_t row, Visit visit) {
  const WindowDim& d0 = g.dims[0];
  const WindowDim& d1 = g.dims[1];
  const WindowDim& d2 = g.dims[2];
  TapRun run;
  for (std::int64_t k0 = 0; k0 < d0.kernel; ++k0) {
    const std::int64_t i0 = row / d1.out * d0.stride - d0.pad_begin + k0 * d0.dilation;
    for (std::int64_t k1 = 0; k1 < d1.kernel; ++k1) {
      const std::int64_t i1 = row % d1.out * d1.stride - d1.pad_begin + k1 * d1.dilation;
      const bool inside = i0 >= 0 && i0 < d0.in && i1 >= 0 && i1 < d1.in;
      for (std::int64_t k2 = 0; k2 < d2.kernel; ++k2, ++run.k) {
        if (!inside) continue;
        const std::int64_t shift = k2 * d2.dilation - d2.pad_begin;
        run.begin = shift < 0 ? ceil_div(-shift, d2.stride) : 0;
        const std::int64_t room = d2.in - 1 - shift;
        run.end = room < 0 ? 0 : std::min(d2.out, room / d2.stride + 1);
        run.from = (i0 * d1.in + i1) * d2.in + shift;
        if (run.begin < run.end) visit(run);
      }
    }
  }
}

/// Positions along the last dim whose taps there all lie in the input.
struct Inner {
  std::int64_t from = 0;
  std::int64_t to = 0;
};
inline Inner inner_positions(const WindowDim& d) {
  const std::int64_t reach = (d.kernel - 1) * d.dilation;
  const std::int64_t from = std::min(d.out, ceil_div(d.pad_begin, d.stride));
  const std::int64_t room = d.in - 1 - reach + d.pad_begin;  // the last first tap
  const std::int64_t to = room < 0 ? 0 : std::min(d.out, room / d.stride + 1);
  return {from, std::max(from, to)};
}

}  // namespace polaris::cpu
