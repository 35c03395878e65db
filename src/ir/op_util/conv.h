#pragma once
#include <cstdint>
#include <vector>

#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

/// What the references of Conv, ConvInteger and QLinearConv share.
namespace polaris {

/// Sets output 0 for X (input x), W (input w) and an optional bias per output channel (input bias).
Status infer_conv(InferContext& c, int x, int w, int bias, DType out);
/// The same by attributes that are part of others.
Status infer_conv(InferContext& c, const ConvAttrs& attrs, int x, int w, int bias, DType out);
std::int64_t conv_flops(const NodeTypes& n, int w);

/// Calls store(output index, output channel, sum of x * w) for every output element.
template <class T, class Store>
void conv_each(const ConvGeometry& g, const std::vector<T>& x, const std::vector<T>& w,
               Store store) {
  const std::int64_t channels = g.groups * g.group_out;
  const std::int64_t positions = g.out_size();
  const std::int64_t in_size = g.in_size();
  const std::int64_t kernel = g.kernel_size();
  std::vector<std::pair<std::int64_t, std::int64_t>> taps;
  for (std::int64_t position = 0; position < positions; ++position) {
    taps.clear();
    each_tap(g, position, [&](std::int64_t k, std::int64_t at) { taps.emplace_back(k, at); });
    for (std::int64_t n = 0; n < g.batch; ++n) {
      for (std::int64_t m = 0; m < channels; ++m) {
        const std::int64_t group = m / g.group_out;
        T sum{0};
        for (std::int64_t c = 0; c < g.group_in; ++c) {
          const T* plane = x.data() + ((n * g.groups + group) * g.group_in + c) * in_size;
          const T* weights = w.data() + (m * g.group_in + c) * kernel;
          for (const auto& [k, at] : taps) sum += plane[at] * weights[k];
        }
        store((n * channels + m) * positions + position, m, sum);
      }
    }
  }
}

/// Integer elements minus a zero point (one, or one per index of dim 0 where `per_channel`; null:
/// none), as wrapping int32.
std::vector<std::uint32_t> minus_zero_point(const RefTensor& x, const RefTensor* zero_point,
                                            bool per_channel);

}  // namespace polaris
