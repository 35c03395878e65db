#include "ir/op_util/conv.h"

namespace polaris {
namespace {

constexpr DTypeSet kTypes = dtype_set(DType::kI8, DType::kU8);

Status infer(InferContext& c) {
  if (auto s =
          all_of(check_dtype(c, 0, kTypes), check_dtype(c, 1, kTypes), check_same_dtype(c, 0, 2),
                 check_same_dtype(c, 1, 3), check_rank(c, 2, 0, 1), check_rank(c, 3, 0, 1));
      !s) {
    return s;
  }
  if (c.has(2) && c.in(2).shape.rank() == 1) {
    if (auto s = check_dims(c, "size of x_zero_point", c.in(2).shape[0], 1); !s) return s;
  }
  if (c.has(3) && c.in(3).shape.rank() == 1 && c.in(3).shape[0] != 1 && c.in(1).shape.rank() > 0) {
    if (auto s = check_dims(c, "size of w_zero_point", c.in(3).shape[0], c.in(1).shape[0]); !s) {
      return s;
    }
  }
  return infer_conv(c, 0, 1, 4, DType::kI32);
}

Status reference(RefContext& c) {
  const auto g = conv_geometry(c.in(0).type.shape, c.in(1).type.shape, c.as<ConvAttrs>());
  if (!g) return c.fail(g.error().message());
  const auto x = minus_zero_point(c.in(0), c.has(2) ? &c.in(2) : nullptr, false);
  const auto w = minus_zero_point(c.in(1), c.has(3) ? &c.in(3) : nullptr, true);
  conv_each(*g, x, w, [&](std::int64_t i, std::int64_t, std::uint32_t sum) {
    put_i64(c.out(0), i, static_cast<std::int32_t>(sum));
  });
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return conv_flops(n, 1); }

constexpr Port kInputs[] = {
    {"x", kSpatial}, {"w"}, {"x_zero_point", kOptional}, {"w_zero_point", kOptional}};
constexpr Port kOutputs[] = {{"y", kSpatial}};

}  // namespace

extern constinit const OpDef op_conv_integer{
    .name = "ConvInteger",
    .doc = "Convolution of 8-bit integers minus their zero points, accumulated in int32.",
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
