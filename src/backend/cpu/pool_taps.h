#pragma once
#include <cstdint>

#include "backend/cpu/kernel.h"
#include "ir/op_util/conv_geometry.h"

namespace polaris::cpu {

/// Taps of a padded window that lie in the input or its padding (count_include_pad).
inline std::int64_t padded_taps(const ConvGeometry& g, std::int64_t position) {
  std::int64_t taps = 1;
  for (int i = kSpatialMax - 1; i >= 0; --i) {
    const WindowDim& d = g.dims[i];
    const std::int64_t first = position % d.out * d.stride - d.pad_begin;
    position /= d.out;
    const std::int64_t end = d.in + d.pad_end;
    std::int64_t here = 0;
    for (std::int64_t k = 0; k < d.kernel; ++k) here += first + k * d.dilation < end ? 1 : 0;
    taps *= here;
  }
  return taps;
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
  const auto& attrs = static_cast<const PoolAttrs&>(*node.attrs);
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
