#include "backend/cpu/pool_channels_last.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "backend/cpu/pool_taps.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/window_planes.h"
#include "base/checked.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {
namespace {

constexpr std::int64_t kWide = 256;  // of a global pool: what a task reads of each position
// Sums of a global mean are cut here, so that rounding does not grow with the plane.
constexpr std::int64_t kSumRows = 64;

template <class T>
void max_position(const ConvGeometry& g, const T* x, std::int64_t position, T* y) {
  const std::int64_t channels = g.groups;
  bool first = true;
  std::fill_n(y, channels, kBelowAll<T>);
  each_tap(g, position, [&](std::int64_t, std::int64_t at) {
    const T* tap = x + at * channels;
    if (first) {
      std::copy_n(tap, channels, y);
      first = false;
      return;
    }
    max_into(tap, y, channels);
  });
}

/// Where each channel has its largest element, as an index into row-major X.
template <class T>
void max_indices(const ConvGeometry& g, const T* x, std::int64_t image, std::int64_t position,
                 std::int64_t storage_order, std::int64_t* indices) {
  const std::int64_t channels = g.groups;
  for (std::int64_t c = 0; c < channels; ++c) {
    std::int64_t best = -1;
    each_tap(g, position, [&](std::int64_t, std::int64_t at) {
      const T here = x[at * channels + c];
      if (best < 0 || beats(here, x[best * channels + c], true)) best = at;
    });
    best = std::max<std::int64_t>(best, 0);
    if (storage_order == 1) best = column_major_index(g, best);
    indices[c] = (image * channels + c) * g.in_size() + best;
  }
}

/// Calls body(image, row) for the output rows of all images.
template <class Body>
void each_row(ThreadPool& pool, const ConvGeometry& g, Body body) {
  const std::int64_t rows = g.dims[0].out * g.dims[1].out;
  parallel_rows(pool, g.batch * rows, g.dims[2].out * g.groups * g.kernel_size(),
                [&](std::int64_t from, std::int64_t to, int) {
                  for (std::int64_t r = from; r < to; ++r) body(r / rows, r % rows);
                });
}

template <class T>
void max_row([[maybe_unused]] const Simd& simd, const ConvGeometry& g, const T* x, std::int64_t row,
             T* y) {
  if constexpr (std::is_same_v<T, float>) {
    WindowPlanes plane;
    plane.run = simd.window_max;
    plane.x = x;
    plane.y = y;
    plane.start = kBelowAll<float>;
    window_positions(g, plane, row);
  } else {
    for (std::int64_t o = 0; o < g.dims[2].out; ++o) {
      max_position(g, x, row * g.dims[2].out + o, y + o * g.groups);
    }
  }
}

template <class T>
KernelResult max_kernel(const Simd& simd, const ConvGeometry& g, std::int64_t storage_order) {
  return KernelResult(make_kernel("max_pool_nhwc", [simd = &simd, g,
                                                    storage_order](const Launch& l) {
    each_row(*l.pool, g, [&](std::int64_t image, std::int64_t row) {
      const std::int64_t width = g.dims[2].out;
      const T* x = l.in<T>(0) + image * g.in_size() * g.groups;
      const std::int64_t first = image * g.out_size() + row * width;
      max_row(*simd, g, x, row, l.out<T>(0) + first * g.groups);
      auto* indices = l.out<std::int64_t>(1);
      if (indices == nullptr) return;
      for (std::int64_t o = 0; o < width; ++o) {
        max_indices(g, x, image, row * width + o, storage_order, indices + (first + o) * g.groups);
      }
    });
  }));
}

KernelResult average_kernel(const Simd& simd, const ConvGeometry& g, bool include_pad) {
  return KernelResult(
      make_kernel("average_pool_f32_nhwc", [simd = &simd, g, include_pad](const Launch& l) {
        each_row(*l.pool, g, [&](std::int64_t image, std::int64_t row) {
          WindowPlanes plane;
          plane.run = simd->window_sum;
          plane.x = l.in<float>(0) + image * g.in_size() * g.groups;
          plane.y = l.out<float>(0) + (image * g.out_size() + row * g.dims[2].out) * g.groups;
          plane.divide = true;
          plane.include_pad = include_pad;
          window_positions(g, plane, row);
        });
      }));
}

struct GlobalPool {
  const Simd* simd = nullptr;
  bool mean = false;
  std::int64_t channels = 0;
  std::int64_t width = 0;
};

/// The mean of up to kWide channels of one image.
void mean_block(const GlobalPool& p, const float* x, std::int64_t channels, float* y) {
  float total[kWide] = {};
  for (std::int64_t r0 = 0; r0 < p.width; r0 += kSumRows) {
    float part[kWide] = {};
    const std::int64_t rows = std::min(kSumRows, p.width - r0);
    for (std::int64_t r = r0; r < r0 + rows; ++r) {
      p.simd->axpy(1.0f, x + r * p.channels, part, channels);
    }
    p.simd->axpy(1.0f, part, total, channels);
  }
  for (std::int64_t c = 0; c < channels; ++c) y[c] = total[c] / static_cast<float>(p.width);
}

void max_wide(const GlobalPool& p, const float* x, std::int64_t channels, float* y) {
  const auto larger = p.simd->binary[kOpMax - kUnaryCodes];  // a NaN stays
  std::copy_n(x, channels, y);
  for (std::int64_t r = 1; r < p.width; ++r) larger(y, 1, x + r * p.channels, 1, y, channels);
}

KernelResult global_kernel(const CpuTarget& target, const NodeDesc& node) {
  const Shape& x = node.inputs[0].type.shape;
  if (node.inputs[0].type.dtype != DType::kF32) return unsupported(node, "x is not float32");
  const GlobalPool p{target.simd, node.op->name == "GlobalAveragePool", x[1],
                     x.elements_between(2, x.rank())};
  if (p.width == 0) return unsupported(node, "empty planes");
  const std::int64_t blocks = ceil_div(p.channels, kWide);
  return KernelResult(
      make_kernel("global_pool_f32_nhwc", [p, images = x[0], blocks](const Launch& l) {
        parallel_rows(*l.pool, images * blocks, p.width * kWide,
                      [&](std::int64_t from, std::int64_t to, int) {
                        for (std::int64_t b = from; b < to; ++b) {
                          const std::int64_t image = b / blocks;
                          const std::int64_t first = b % blocks * kWide;
                          const float* at = l.in<float>(0) + image * p.width * p.channels + first;
                          const std::int64_t count = std::min(kWide, p.channels - first);
                          (p.mean ? mean_block : max_wide)(
                              p, at, count, l.out<float>(0) + image * p.channels + first);
                        }
                      });
      }));
}

}  // namespace

KernelResult channels_last_pool(const CpuTarget& target, const NodeDesc& node) {
  if (node.op->name.starts_with("Global")) return global_kernel(target, node);
  return windowed_pool(
      node,
      [&](const ConvGeometry& g, bool include_pad) {
        return average_kernel(*target.simd, g, include_pad);
      },
      [&](const ConvGeometry& g, std::int64_t storage_order, auto zero) {
        return max_kernel<decltype(zero)>(*target.simd, g, storage_order);
      });
}

}  // namespace polaris::cpu
