// Custom operators of MediaPipe's models (mediapipe/util/tflite/operations/).
#include <algorithm>
#include <array>
#include <cstring>

#include "load/tflite/op/layers.h"
#include "load/tflite/op/transposed_convolution.h"

namespace polaris::tflite {
namespace {

/// The front of TfLiteTransposeConvParams, and of TfLitePoolParams, as custom options have them.
struct ConvolutionParams {
  std::int32_t padding = 0;  // TfLitePadding: 1 SAME, 2 VALID
  std::int32_t stride_width = 0;
  std::int32_t stride_height = 0;
};
struct PoolParams {
  std::int32_t padding = 0;
  std::int32_t stride_width = 0;
  std::int32_t stride_height = 0;
  std::int32_t filter_width = 0;
  std::int32_t filter_height = 0;
};

constexpr std::int64_t kSizeMost = std::int64_t{1} << 30;

template <class Params>
Params read_params(OperatorImport& o) {
  Params out;
  const auto bytes = o.def().custom_options;
  if (bytes.size() < sizeof(out)) {
    o.fail("options, got " + std::to_string(bytes.size()) + " bytes, wanted " +
           std::to_string(sizeof(out)) + " or more");
    return out;
  }
  std::memcpy(&out, bytes.data(), sizeof(out));
  if (out.padding != 1 && out.padding != 2) o.fail("padding, got " + std::to_string(out.padding));
  return out;
}

}  // namespace

// transpose_conv_bias.cc: SAME cuts what a window reaches beyond its step, half of it in front.
void convolution_2d_transpose_bias(OperatorImport& o) {
  Builder& b = o.builder();
  const auto params = read_params<ConvolutionParams>(o);
  TransposedConvolution conv;
  conv.w = weight(o, 1, {3, 0, 1, 2});
  conv.bias = bias(o, 2, 0, 1);
  conv.strides = {params.stride_height, params.stride_width};
  conv.same = params.padding == 1;
  for (int i = 0; i < 2 && o.ok(); ++i) {
    const std::int64_t in = b.dim(o.raw(0), i + 1);
    const std::int64_t taps = b.dim(conv.w, i + 2);
    const std::int64_t stride = conv.strides[static_cast<std::size_t>(i)];
    if (in < 1 || taps < 1 || stride < 1 || std::max({in, taps, stride}) > kSizeMost) {
      return o.unsupported("sizes, wanted known ones, 1 or more");
    }
    const std::int64_t cut =
        conv.same ? std::max<std::int64_t>(taps - (in - 1) % stride - 1, 0) : 0;
    conv.sizes.push_back((in - 1) * stride + taps - cut);
  }
  give_transposed(o, conv);
}

namespace {

/// i * step for i in [0, count), along axis `axis` of four.
ValueId multiples(OperatorImport& o, std::int64_t count, std::int64_t step, int axis) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i * step));
  Shape shape = Shape::filled(4, 1);
  shape[axis] = count;
  return o.builder().numbers(values, DType::kI64, shape);
}

/// One spatial axis of an unpooling.
struct Unpooled {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t before = 0;  // places of the first window that lie before the output
};

Unpooled unpooled(std::int64_t in, std::int64_t taps, std::int64_t stride, bool same) {
  if (!same) return {in, (in - 1) * stride + taps, 0};
  const std::int64_t out = in * stride;
  return {in, out, std::max<std::int64_t>((in - 1) * stride + taps - out, 0) / 2};
}

}  // namespace

// Inputs: values, and for each its place in the window that it was the largest of.
void max_unpooling_2d(OperatorImport& o) {
  Builder& b = o.builder();
  const auto params = read_params<PoolParams>(o);
  const ValueId values = channels_second(o, o.real(0), 4);
  const ValueId places = channels_second(o, o.index(1), 4);
  const Shape* shape = b.shape(values);
  if (!o.ok()) return;
  if (shape == nullptr || !shape->is_static()) return o.unsupported("sizes, wanted known ones");
  const Shape in = *shape;
  for (const std::int64_t size :
       {in[2], in[3], std::int64_t{params.filter_height}, std::int64_t{params.filter_width},
        std::int64_t{params.stride_height}, std::int64_t{params.stride_width}}) {
    if (size < 1 || size > 1 << 15) return o.fail("sizes, got " + std::to_string(size));
  }
  const bool same = params.padding == 1;
  const Unpooled y = unpooled(in[2], params.filter_height, params.stride_height, same);
  const Unpooled x = unpooled(in[3], params.filter_width, params.stride_width, same);
  if (in[0] * in[1] > kSizeMost) return o.fail("sizes are too large");
  // Where each value goes in the output, counted through.
  const ValueId width = b.int_scalar(params.filter_width);
  const ValueId down = b.add("Sub", {b.add("Div", {places, width}), b.int_scalar(y.before)});
  const ValueId across = b.add("Sub", {b.add("Mod", {places, width}), b.int_scalar(x.before)});
  ValueId at = b.add("Add", {b.add("Mul", {down, b.int_scalar(x.out)}), across});
  at = b.add("Add", {at, multiples(o, y.in, params.stride_height * x.out, 2)});
  at = b.add("Add", {at, multiples(o, x.in, params.stride_width, 3)});
  at = b.add("Add", {at, multiples(o, in[1], y.out * x.out, 1)});
  at = b.add("Add", {at, multiples(o, in[0], in[1] * y.out * x.out, 0)});
  const ValueId zeros = b.add("Expand", {b.number(0), b.ints({in[0] * in[1] * y.out * x.out})});
  const ValueId flat =
      b.add("ScatterElements", {zeros, b.reshape(at, {-1}), b.reshape(values, {-1})});
  o.give(0, channels_last(o, b.reshape(flat, {in[0], in[1], y.out, x.out}), 4));
}

}  // namespace polaris::tflite
