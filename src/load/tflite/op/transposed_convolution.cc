#include "load/tflite/op/transposed_convolution.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "ir/op_attrs/conv.h"
#include "load/tflite/op/layers.h"

namespace polaris::tflite {
namespace {

// Sizes and strides beyond these make no convolution, and products of them fit.
constexpr std::int64_t kMost = std::int64_t{1} << 30;

/// One spatial axis: the convolution gives (in - 1) * stride + taps places, of which the output is
/// a window.
struct Axis {
  std::int64_t before = 0;   // places cut in front
  std::int64_t after = 0;    // and behind
  std::int64_t missing = 0;  // places of the output behind the last
};

Axis axis_of(std::int64_t in, std::int64_t out, std::int64_t taps, std::int64_t stride, bool same) {
  const std::int64_t full = (in - 1) * stride + taps;
  Axis axis;
  if (same) {
    const std::int64_t steps = ceil_div(out, stride);
    axis.before = std::max<std::int64_t>((steps - 1) * stride + taps - out, 0) / 2;
  }
  axis.after = std::max<std::int64_t>(full - axis.before - out, 0);
  axis.missing = std::max<std::int64_t>(out + axis.before - full, 0);
  return axis;
}

}  // namespace

std::vector<std::int64_t> output_sizes(OperatorImport& o, std::size_t i, std::size_t count) {
  std::vector<std::int64_t> shape;
  if (auto known = o.ints(i)) {
    shape = *known;
  } else {
    shape.assign(o.out().shape.begin(), o.out().shape.end());
  }
  if (shape.size() != count + 2) {
    o.fail("output shape, got rank " + std::to_string(shape.size()) + ", wanted " +
           std::to_string(count + 2));
    return {};
  }
  return {shape.begin() + 1, shape.end() - 1};
}

void give_transposed(OperatorImport& o, const TransposedConvolution& conv) {
  Builder& b = o.builder();
  const auto spatial = static_cast<int>(conv.strides.size());
  auto attrs = std::make_unique<ConvTransposeAttrs>();
  std::vector<std::int64_t> ends;
  for (int i = 0; i < spatial && o.ok(); ++i) {
    const std::int64_t in = b.dim(o.raw(conv.x), i + 1);
    const std::int64_t taps = b.dim(conv.w, i + 2);
    const std::int64_t stride = conv.strides[static_cast<std::size_t>(i)];
    const std::int64_t out = conv.sizes.empty() ? 0 : conv.sizes[static_cast<std::size_t>(i)];
    for (const std::int64_t size : {in, taps, stride, out + 1}) {
      if (size < 1 || size > kMost) return o.unsupported("sizes, wanted known ones, 1 or more");
    }
    const Axis axis = axis_of(in, out, taps, stride, conv.same);
    attrs->pads.push_back(axis.before);
    ends.push_back(axis.after);
    attrs->output_padding.push_back(axis.missing);
    if (axis.missing >= stride) return o.unsupported("output size beyond the last place");
  }
  attrs->pads.insert(attrs->pads.end(), ends.begin(), ends.end());
  attrs->strides = conv.strides;
  const ValueId x = channels_second(o, o.real(conv.x), spatial + 2);
  const ValueId y = b.add_with("ConvTranspose", {x, conv.w, conv.bias}, std::move(attrs));
  give_channels_second(o, y, spatial + 2, conv.activation);
}

}  // namespace polaris::tflite
