// MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/cpu/kernel.h"
#include "backend/cpu/pool_channels_last.h"
#include "backend/cpu/pool_taps.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/simd/simd.h"
#include "ir/op_util/conv_geometry.h"
#include "tensor/element.h"

namespace polaris::cpu {
namespace {

template <class T>
void max_plane(const ConvGeometry& g, const T* x, T* y, std::int64_t* indices, std::int64_t base,
               std::int64_t storage_order) {
  for (std::int64_t p = 0; p < g.out_size(); ++p) {
    std::int64_t best = -1;
    each_tap(g, p, [&](std::int64_t, std::int64_t at) {
      if (best < 0 || x[best] < x[at]) best = at;
    });
    y[p] = best < 0 ? std::numeric_limits<T>::lowest() : x[best];
    if (indices == nullptr) continue;
    if (storage_order == 1 && best >= 0) best = column_major_index(g, best);
    indices[p] = base + best;
  }
}

template <class T>
KernelResult max_kernel(const ConvGeometry& g, std::int64_t storage_order) {
  return KernelResult(make_kernel("max_pool", [g, storage_order](const Launch& l) {
    parallel_rows(*l.pool, g.batch * g.groups, g.out_size() * g.kernel_size(),
                  [&](std::int64_t from, std::int64_t to, int) {
                    for (std::int64_t i = from; i < to; ++i) {
                      auto* indices = l.out<std::int64_t>(1);
                      max_plane(g, l.in<T>(0) + i * g.in_size(), l.out<T>(0) + i * g.out_size(),
                                indices == nullptr ? nullptr : indices + i * g.out_size(),
                                i * g.in_size(), storage_order);
                    }
                  });
  }));
}

KernelResult average_kernel(const ConvGeometry& g, bool include_pad) {
  return KernelResult(make_kernel("average_pool_f32", [g, include_pad](const Launch& l) {
    parallel_rows(*l.pool, g.batch * g.groups, g.out_size() * g.kernel_size(),
                  [&](std::int64_t from, std::int64_t to, int) {
                    for (std::int64_t i = from; i < to; ++i) {
                      const float* x = l.in<float>(0) + i * g.in_size();
                      for (std::int64_t p = 0; p < g.out_size(); ++p) {
                        float sum = 0;
                        std::int64_t count = 0;
                        each_tap(g, p, [&](std::int64_t, std::int64_t at) {
                          sum += x[at];
                          ++count;
                        });
                        if (include_pad) count = padded_taps(g, p);
                        l.out<float>(0)[i * g.out_size() + p] = sum / static_cast<float>(count);
                      }
                    }
                  });
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
      node, [](const ConvGeometry& g, bool include_pad) { return average_kernel(g, include_pad); },
      [](const ConvGeometry& g, std::int64_t storage_order, auto zero) {
        return max_kernel<decltype(zero)>(g, storage_order);
      });
}

constexpr std::string_view kOps[] = {"MaxPool", "AveragePool", "GlobalAveragePool",
                                     "GlobalMaxPool"};

}  // namespace

extern const KernelFamily family_pool;
constinit const KernelFamily family_pool{kOps, select, kOps};

}  // namespace polaris::cpu
