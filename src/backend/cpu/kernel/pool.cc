// MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "backend/cpu/kernel.h"
#include "backend/cpu/pool_channels_last.h"
#include "backend/cpu/pool_taps.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/simd/simd.h"
#include "backend/cpu/window_planes.h"
#include "backend/cpu/window_rows.h"
#include "ir/op_util/conv_geometry.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

/// Values of one plane, row by row: a position takes its first tap as it is, as a NaN may be it.
template <class T>
void max_plane(const ConvGeometry& g, const T* x, T* y) {
  const std::int64_t stride = g.dims[2].stride;
  for (std::int64_t row = 0; row < g.dims[0].out * g.dims[1].out; ++row, y += g.dims[2].out) {
    std::fill_n(y, g.dims[2].out, kBelowAll<T>);
    std::int64_t fresh = g.dims[2].out;  // positions from here on have had a tap, or get none
    each_tap_run(g, row, [&](const TapRun& run) {
      const T* from = x + run.from;
      const std::int64_t seen = std::max(run.begin, fresh);
      for (std::int64_t o = run.begin; o < std::min(run.end, fresh); ++o) y[o] = from[o * stride];
      fresh = std::min(fresh, run.begin);
      if (stride == 1) {
        if (seen < run.end) max_into(from + seen, y + seen, run.end - seen);
        return;
      }
      for (std::int64_t o = seen; o < run.end; ++o) y[o] = larger(y[o], from[o * stride]);
    });
  }
}

/// Where those values are, in the whole of X.
template <class T>
void max_indices(const ConvGeometry& g, const T* x, std::int64_t* indices, std::int64_t base,
                 std::int64_t storage_order) {
  for (std::int64_t p = 0; p < g.out_size(); ++p) {
    std::int64_t best = -1;
    each_tap(g, p, [&](std::int64_t, std::int64_t at) {
      if (best < 0 || beats(x[at], x[best], true)) best = at;
    });
    best = std::max<std::int64_t>(best, 0);
    if (storage_order == 1) best = column_major_index(g, best);
    indices[p] = base + best;
  }
}

/// Planes [from, to); `simd` is for floats alone.
template <class T>
void max_values([[maybe_unused]] const Simd& simd, const ConvGeometry& g, const Launch& l,
                std::int64_t from, std::int64_t to) {
  if constexpr (std::is_same_v<T, float>) {
    WindowPlanes planes;
    planes.run = simd.window_max;
    planes.x = l.in<float>(0);
    planes.y = l.out<float>(0);
    planes.start = kBelowAll<float>;
    window_planes(g, planes, from, to);
  } else {
    for (std::int64_t i = from; i < to; ++i) {
      max_plane(g, l.in<T>(0) + i * g.in_size(), l.out<T>(0) + i * g.out_size());
    }
  }
}

template <class T>
KernelResult max_kernel(const Simd& simd, const ConvGeometry& g, std::int64_t storage_order) {
  return KernelResult(make_kernel("max_pool", [simd = &simd, g, storage_order](const Launch& l) {
    const std::int64_t all = g.batch * g.groups;
    l.pool->parallel_for(
        all, planes_of_task(all, l.pool->threads()), [&](std::int64_t from, std::int64_t to, int) {
          max_values<T>(*simd, g, l, from, to);
          auto* indices = l.out<std::int64_t>(1);
          if (indices == nullptr) return;
          for (std::int64_t i = from; i < to; ++i) {
            max_indices(g, l.in<T>(0) + i * g.in_size(), indices + i * g.out_size(),
                        i * g.in_size(), storage_order);
          }
        });
  }));
}

KernelResult average_kernel(const Simd& simd, const ConvGeometry& g, bool include_pad) {
  return KernelResult(
      make_kernel("average_pool_f32", [simd = &simd, g, include_pad](const Launch& l) {
        WindowPlanes planes;
        planes.run = simd->window_sum;
        planes.x = l.in<float>(0);
        planes.y = l.out<float>(0);
        planes.divide = true;
        planes.include_pad = include_pad;
        const std::int64_t all = g.batch * g.groups;
        l.pool->parallel_for(
            all, planes_of_task(all, l.pool->threads()),
            [&](std::int64_t from, std::int64_t to, int) { window_planes(g, planes, from, to); });
      }));
}

KernelResult select_global(const CpuTarget& target, const NodeDesc& node) {
  const Shape& x = node.inputs[0].type.shape;
  if (node.inputs[0].type.dtype != DType::kF32) return unsupported(node, "x is not float32");
  const bool mean = node.op->name == "GlobalAveragePool";
  const std::int64_t rows = x[0] * x[1];
  const std::int64_t width = x.elements_between(2, x.rank());
  if (width == 0) return unsupported(node, "empty planes");
  return KernelResult(
      make_kernel("global_pool_f32", [simd = target.simd, mean, rows, width](const Launch& l) {
        parallel_rows(*l.pool, rows, width, [&](std::int64_t from, std::int64_t to, int) {
          for (std::int64_t r = from; r < to; ++r) {
            const float* plane = l.in<float>(0) + r * width;
            l.out<float>(0)[r] = mean ? simd->sum(plane, width) / static_cast<float>(width)
                                      : simd->max(plane, width);
          }
        });
      }));
}

KernelResult select(const CpuTarget& target, const NodeDesc& node) {
  if (node.inputs[0].layout == Layout::kChannelsLast) return channels_last_pool(target, node);
  if (node.op->name.starts_with("Global")) return select_global(target, node);
  return windowed_pool(
      node,
      [&](const ConvGeometry& g, bool include_pad) {
        return average_kernel(*target.simd, g, include_pad);
      },
      [&](const ConvGeometry& g, std::int64_t storage_order, auto zero) {
        return max_kernel<decltype(zero)>(*target.simd, g, storage_order);
      });
}

constexpr std::string_view kOps[] = {"MaxPool", "AveragePool", "GlobalAveragePool",
                                     "GlobalMaxPool"};

}  // namespace

extern const KernelFamily family_pool;
constinit const KernelFamily family_pool{"pool", kOps, one_kernel<select>, kOps};

}  // namespace polaris::cpu
