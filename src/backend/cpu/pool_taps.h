#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include "backend/cpu/kernel.h"
#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/extremum.h"

namespace polaris::cpu {

/// Taps along one dim for output position `o` that lie in the input, or in it and its padding
/// (count_include_pad).
inline std::int64_t taps_along(const WindowDim& d, std::int64_t o, bool include_pad) {
  const std::int64_t first = o * d.stride - d.pad_begin;
  const std::int64_t low = include_pad ? first : 0;
  const std::int64_t end = include_pad ? d.in + d.pad_end : d.in;
  std::int64_t taps = 0;
  for (std::int64_t k = 0; k < d.kernel; ++k) {
    const std::int64_t i = first + k * d.dilation;
    taps += i >= low && i < end ? 1 : 0;
  }
  return taps;
}

/// The largest of no elements: what a window has that lies in the padding as a whole.
template <class T>
inline constexpr T kBelowAll =
    std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                         : std::numeric_limits<T>::lowest();

// max_into goes through local arrays, which the compiler knows to be apart and so keeps in vectors.
inline constexpr int kPoolBlock = 16;

/// best[i] = the larger of best[i] and x[i]; a NaN stays.
template <class T>
void max_into(const T* x, T* best, std::int64_t n) {
  std::int64_t i = 0;
  for (; i + kPoolBlock <= n; i += kPoolBlock) {
    T a[kPoolBlock];
    T b[kPoolBlock];
    std::copy_n(x + i, kPoolBlock, a);
    std::copy_n(best + i, kPoolBlock, b);
    for (int j = 0; j < kPoolBlock; ++j) b[j] = larger(b[j], a[j]);
    std::copy_n(b, kPoolBlock, best + i);
  }
  for (; i < n; ++i) best[i] = larger(best[i], x[i]);
}

/// An offset in one channel, as column-major order counts (storage_order 1).
inline std::int64_t column_major_index(const ConvGeometry& g, std::int64_t offset) {
  const std::int64_t i2 = offset % g.dims[2].in;
  const std::int64_t i1 = offset / g.dims[2].in % g.dims[1].in;
  const std::int64_t i0 = offset / g.dims[2].in / g.dims[1].in;
  return (i2 * g.dims[1].in + i1) * g.dims[0].in + i0;
}

/// MaxPool or AveragePool by type: average(geometry, count_include_pad), or max(geometry,
/// storage_order, zero of the element type).
template <class Average, class Max>
KernelResult windowed_pool(const NodeDesc& node, Average average, Max max) {
  const auto& attrs = node.attributes<PoolAttrs>();
  const auto g = pool_geometry(node.inputs[0].type.shape, attrs);
  if (!g) return unsupported(node, g.error().message());
  const DType dtype = node.inputs[0].type.dtype;
  if (node.op->name == "AveragePool") {
    if (dtype != DType::kF32) return unsupported(node, "x is not float32");
    return average(*g, attrs.count_include_pad);
  }
  switch (dtype) {
    case DType::kF32: return max(*g, attrs.storage_order, float{});
    case DType::kF64: return max(*g, attrs.storage_order, double{});
    case DType::kI8: return max(*g, attrs.storage_order, std::int8_t{});
    case DType::kU8: return max(*g, attrs.storage_order, std::uint8_t{});
    default: return unsupported(node, "this type");
  }
}

}  // namespace polaris::cpu
