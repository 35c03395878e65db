#pragma once
#include "backend/cpu/simd/simd.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {

/// What windows compute of row-major planes.
struct WindowPlanes {
  void (*run)(const WindowRow&) = nullptr;  // Simd::window_sum, window_max or window_product
  const float* x = nullptr;                 // of plane 0, as y and factors
  float* y = nullptr;
  float start = 0;
  bool divide = false;       // by the taps of a position
  bool include_pad = false;  // and those in the padding
  // Products: output plane i is of input plane i % outputs / outputs_each of image i / outputs,
  // with factors and bias of i % outputs. Else planes are their own outputs.
  const float* factors = nullptr;
  const float* bias = nullptr;  // instead of `start`; null: 0
  std::int64_t outputs = 1;
  std::int64_t outputs_each = 1;
};

/// So many planes share the work of finding the taps of their rows.
std::int64_t planes_of_task(std::int64_t planes, int threads);
/// All output rows of the planes [from, to).
void window_planes(const ConvGeometry& g, const WindowPlanes& planes, std::int64_t from,
                   std::int64_t to);

/// The positions of one output row (of dims 0 and 1) of one channels-last image: of each all
/// channels of its taps, as one row. x and y are the image's and the first position's.
void window_positions(const ConvGeometry& g, const WindowPlanes& planes, std::int64_t row);

}  // namespace polaris::cpu
