// Custom operators of MediaPipe's models (mediapipe/util/tflite/operations/).
#include <algorithm>
#include <array>
#include <cstring>

#include "load/tflite/op/layers.h"
#include "load/tflite/op/transposed_convolution.h"

namespace polaris::tflite {
namespace {

/// The front of TfLiteTransposeConvParams as it stands in the custom options.
struct PoolLike {
  std::int32_t padding = 0;  // TfLitePadding: 1 SAME, 2 VALID
  std::int32_t stride_width = 0;
  std::int32_t stride_height = 0;
};

PoolLike read_params(OperatorImport& o) {
  PoolLike out;
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
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  Builder& b = o.builder();
  const PoolLike params = read_params(o);
  TransposedConvolution conv;
  conv.w = weight(o, 1, {3, 0, 1, 2});
  conv.bias = bias(o, 2, 0, 1);
  conv.strides = {params.stride_height, params.stride_width};
  conv.same = params.padding == 1;
  for (int i = 0; i < 2 && o.ok(); ++i) {
    const std::int64_t in = b.dim(o.raw(0), i + 1);
    const std::int64_t taps = b.dim(conv.w, i + 2);
    const std::int64_t stride = conv.strides[static_cast<std::size_t>(i)];
    if (in < 1 || taps < 1 || stride < 1 || std::max({in, taps, stride}) > kMost) {
      return o.unsupported("sizes, wanted known ones, 1 or more");
    }
    const std::int64_t cut =
        conv.same ? std::max<std::int64_t>(taps - (in - 1) % stride - 1, 0) : 0;
    conv.sizes.push_back((in - 1) * stride + taps - cut);
  }
  give_transposed(o, conv);
}

}  // namespace polaris::tflite
