#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/op_attrs/conv.h"
#include "tensor/shape.h"

/// Sliding windows: what Conv, ConvTranspose and the pools compute, for references and kernels.
namespace polaris {

inline constexpr int kSpatialMax = 3;

/// One spatial dim of a window. Output position o reads input o * stride - pad_begin + k * dilation
/// for k in [0, kernel), where that is inside [0, in).
struct WindowDim {
  std::int64_t in = 1;
  std::int64_t out = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;
};

/// A convolution [N, groups * C, spatial] * [M, C, kernel] -> [N, M, spatial], or a pool (C and M
/// then are channels alike). `in` and `out` may be unknown dims where the input's are.
struct ConvGeometry {
  int spatial = 0;  // 1 to kSpatialMax
  std::int64_t batch = 1;
  std::int64_t groups = 1;
  std::int64_t group_in = 1;    // input channels of a group
  std::int64_t group_out = 1;   // output channels of a group
  WindowDim dims[kSpatialMax];  // the last `spatial` of them are used; the others are trivial

  std::int64_t in_size() const { return dims[0].in * dims[1].in * dims[2].in; }
  std::int64_t out_size() const { return dims[0].out * dims[1].out * dims[2].out; }
  std::int64_t kernel_size() const { return dims[0].kernel * dims[1].kernel * dims[2].kernel; }
  /// The shape of the output.
  Shape output(std::int64_t channels) const;
};

/// Attributes that conv and pools share, by reference.
struct WindowAttrs {
  const std::string& auto_pad;
  std::span<const std::int64_t> dilations;
  std::span<const std::int64_t> pads;
  std::span<const std::int64_t> strides;
  bool ceil_mode = false;
  bool pool = false;  // whose window may be larger than the input
};

/// An attribute that is empty or has `count` values from `low` to what index arithmetic can hold.
/// Errors as make_window.
Status check_list(std::string_view name, std::span<const std::int64_t> values, std::size_t count,
                  std::int64_t low);
/// Fills dims from an input's spatial dims and the kernel's. Errors: invalid, in words that the
/// caller puts behind its own name.
Status make_window(std::span<const std::int64_t> in, std::span<const std::int64_t> kernel,
                   const WindowAttrs& attrs, ConvGeometry& out);
/// Geometry of Conv and its integer forms. Errors as make_window.
Result<ConvGeometry> conv_geometry(const Shape& x, const Shape& w, const ConvAttrs& attrs);
/// Geometry of MaxPool and AveragePool.
Result<ConvGeometry> pool_geometry(const Shape& x, const PoolAttrs& attrs);
/// ConvTranspose as the convolution whose gradient it is: `in` and `out` of the dims are swapped,
/// so that position i of X writes output i * stride - pad_begin + k * dilation.
Result<ConvGeometry> conv_transpose_geometry(const Shape& x, const Shape& w,
                                             const ConvTransposeAttrs& attrs);

/// Walks the taps of one output position: visit(k, offset) for kernel offset k and input offset
/// inside one channel, in row-major order of k, taps outside the input left out.
template <class Visit>
void each_tap(const ConvGeometry& g, std::int64_t position, Visit visit) {
  const WindowDim& d0 = g.dims[0];
  const WindowDim& d1 = g.dims[1];
  const WindowDim& d2 = g.dims[2];
  const std::int64_t o2 = position % d2.out;
  const std::int64_t o1 = position / d2.out % d1.out;
  const std::int64_t o0 = position / d2.out / d1.out;
  std::int64_t k = 0;
  for (std::int64_t k0 = 0; k0 < d0.kernel; ++k0) {
    const std::int64_t i0 = o0 * d0.stride - d0.pad_begin + k0 * d0.dilation;
    for (std::int64_t k1 = 0; k1 < d1.kernel; ++k1) {
      const std::int64_t i1 = o1 * d1.stride - d1.pad_begin + k1 * d1.dilation;
      for (std::int64_t k2 = 0; k2 < d2.kernel; ++k2, ++k) {
        const std::int64_t i2 = o2 * d2.stride - d2.pad_begin + k2 * d2.dilation;
        const bool inside = i0 >= 0 && i0 < d0.in && i1 >= 0 && i1 < d1.in && i2 >= 0 && i2 < d2.in;
        if (inside) visit(k, (i0 * d1.in + i1) * d2.in + i2);
      }
    }
  }
}

}  // namespace polaris
