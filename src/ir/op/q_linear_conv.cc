#include "ir/op_util/conv.h"
#include "ir/op_util/quantize.h"

namespace polaris {
namespace {

constexpr DTypeSet kTypes = dtype_set(DType::kI8, DType::kU8);
constexpr DTypeSet kScale = dtype_set(DType::kF32);
constexpr int kX = 0;
constexpr int kXZero = 2;
constexpr int kW = 3;
constexpr int kWScale = 4;
constexpr int kWZero = 5;
constexpr int kYScale = 6;
constexpr int kYZero = 7;
constexpr int kBias = 8;

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, kX, kTypes), check_dtype(c, 1, kScale),
                      check_same_dtype(c, kX, kXZero), check_dtype(c, kW, kTypes),
                      check_dtype(c, kWScale, kScale), check_same_dtype(c, kW, kWZero),
                      check_dtype(c, kYScale, kScale), check_dtype(c, kYZero, kTypes),
                      check_dtype(c, kBias, dtype_set(DType::kI32)), check_rank(c, kW, 3));
      !s) {
    return s;
  }
  for (int i : {1, kXZero, kYScale, kYZero}) {
    for (std::int64_t dim : c.in(i).shape) {
      if (auto s = check_dims(c, "size of a parameter", dim, 1); !s) return s;
    }
  }
  for (int i : {kWScale, kWZero}) {
    if (auto s = check_rank(c, i, 0, 1); !s) return s;
    if (c.in(i).shape.rank() == 0 || c.in(i).shape[0] == 1) continue;
    if (auto s = check_dims(c, "size of w's parameters", c.in(i).shape[0], c.in(kW).shape[0]); !s) {
      return s;
    }
  }
  return infer_conv(c, kX, kW, kBias, c.in(kYZero).dtype);
}

Status reference(RefContext& c) {
  const auto g = conv_geometry(c.in(kX).type.shape, c.in(kW).type.shape, c.as<ConvAttrs>());
  if (!g) return c.fail(g.error().message());
  const auto x = minus_zero_point(c.in(kX), &c.in(kXZero), false);
  const auto w = minus_zero_point(c.in(kW), &c.in(kWZero), true);
  const auto y_zero = static_cast<std::int32_t>(get_i64(c.in(kYZero), 0));
  const QuantRange range = quant_range(c.in(kYZero).type.dtype);
  const bool per_channel = c.in(kWScale).type.shape.elements() > 1;
  conv_each(*g, x, w, [&](std::int64_t i, std::int64_t channel, std::uint32_t sum) {
    if (c.has(kBias)) sum += static_cast<std::uint32_t>(get_i64(c.in(kBias), channel));
    const float m = requantize_multiplier(get_f64(c.in(1), 0),
                                          get_f64(c.in(kWScale), per_channel ? channel : 0),
                                          get_f64(c.in(kYScale), 0));
    put_i64(c.out(0), i, requantize(static_cast<std::int32_t>(sum), m, y_zero, range));
  });
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return conv_flops(n, kW); }

constexpr Port kInputs[] = {{"x", kSpatial}, {"x_scale"},      {"x_zero_point"},
                            {"w"},           {"w_scale"},      {"w_zero_point"},
                            {"y_scale"},     {"y_zero_point"}, {"B", kOptional}};
constexpr Port kOutputs[] = {{"y", kSpatial}};

}  // namespace

extern constinit const OpDef op_q_linear_conv{
    .name = "QLinearConv",
    .doc =
        "Convolution of quantized operands: int32 sums plus bias, one float multiplier x_scale * "
        "w_scale / y_scale, rounded half to even once.",
    .since = 10,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ConvAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
