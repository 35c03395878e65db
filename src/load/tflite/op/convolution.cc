// Convolutions: theirs have channels last, ours second; passes take away the Transposes between.
#include <algorithm>

#include "ir/op_attrs/conv.h"
#include "load/tflite/op/layers.h"
#include "load/tflite/op/transposed_convolution.h"

namespace polaris::tflite {
namespace {

/// Groups that a kernel of `per_group` input channels makes of input 0's.
std::int64_t groups(OperatorImport& o, std::size_t x, std::int64_t per_group) {
  const std::int64_t channels = o.builder().dim(o.raw(x), -1);
  if (channels < 1 || per_group < 1 || channels % per_group != 0) {
    o.fail("input channels, got " + std::to_string(channels) + ", wanted a multiple of " +
           std::to_string(per_group));
    return 1;
  }
  return channels / per_group;
}

void convolve(OperatorImport& o, ValueId x, ValueId w, int rank, ConvAttrs attrs,
              std::int64_t activation) {
  attrs.auto_pad = auto_pad(o);
  const ValueId y = o.builder().add_with("Conv", {channels_second(o, x, rank), w, bias(o, 2, 0, 1)},
                                         std::make_unique<ConvAttrs>(std::move(attrs)));
  give_channels_second(o, y, rank, activation);
}

std::vector<std::int64_t> two(OperatorImport& o, int first, int second, std::int32_t otherwise) {
  return {o.option(first, otherwise), o.option(second, otherwise)};
}

}  // namespace

void conv_2d(OperatorImport& o) {
  const ValueId w = weight(o, 1, {0, 3, 1, 2});
  ConvAttrs attrs;
  attrs.group = groups(o, 0, o.builder().dim(w, 1));
  attrs.strides = two(o, 2, 1, 0);
  attrs.dilations = two(o, 5, 4, 1);
  const ValueId x = rounded_rows(o, o.real(0), 1, {1, 2, 3});
  convolve(o, x, w, 4, std::move(attrs), o.byte_option(3));
}

void depthwise_conv_2d(OperatorImport& o) {
  const ValueId w = weight(o, 1, {3, 0, 1, 2});
  ConvAttrs attrs;
  attrs.group = groups(o, 0, 1);
  attrs.strides = two(o, 2, 1, 0);
  attrs.dilations = two(o, 6, 5, 1);
  convolve(o, o.real(0), w, 4, std::move(attrs), o.byte_option(4));
}

void conv_3d(OperatorImport& o) {
  const ValueId w = weight(o, 1, {4, 3, 0, 1, 2});
  ConvAttrs attrs;
  attrs.group = groups(o, 0, o.builder().dim(w, 1));
  attrs.strides = {o.option(1), o.option(3), o.option(2)};
  attrs.dilations = {o.option(5, 1), o.option(7, 1), o.option(6, 1)};
  convolve(o, o.real(0), w, 5, std::move(attrs), o.byte_option(4));
}

// Inputs: output shape, kernel, x, bias.
void transpose_conv(OperatorImport& o) {
  TransposedConvolution conv;
  conv.x = 2;
  conv.w = weight(o, 1, {3, 0, 1, 2});
  conv.bias = bias(o, 3, 2, 1);
  conv.strides = two(o, 2, 1, 0);
  conv.same = auto_pad(o) != "VALID";
  conv.sizes = output_sizes(o, 0, 2);
  conv.activation = o.byte_option(3);
  give_transposed(o, conv);
}

void conv_3d_transpose(OperatorImport& o) {
  TransposedConvolution conv;
  conv.x = 2;
  conv.w = weight(o, 1, {4, 3, 0, 1, 2});
  conv.bias = bias(o, 3, 2, 1);
  conv.strides = {o.option(1), o.option(3), o.option(2)};
  conv.same = auto_pad(o) != "VALID";
  conv.sizes = output_sizes(o, 0, 3);
  conv.activation = o.byte_option(4);
  if (o.option(5, 1) != 1 || o.option(6, 1) != 1 || o.option(7, 1) != 1) {
    return o.unsupported("dilation, wanted 1");
  }
  give_transposed(o, conv);
}

}  // namespace polaris::tflite
