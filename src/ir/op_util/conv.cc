#include "ir/op_util/conv.h"

namespace polaris {

Status infer_conv(InferContext& c, int x, int w, int bias, DType out) {
  return infer_conv(c, c.as<ConvAttrs>(), x, w, bias, out);
}

Status infer_conv(InferContext& c, const ConvAttrs& attrs, int x, int w, int bias, DType out) {
  const auto g = conv_geometry(c.in(x).shape, c.in(w).shape, attrs);
  if (!g) return c.fail(g.error().message());
  const std::int64_t channels = c.in(w).shape[0];
  if (c.has(bias)) {
    if (auto s = all_of(check_rank(c, bias, 1, 1),
                        check_dims(c, "size of the bias", c.in(bias).shape[0], channels));
        !s) {
      return s;
    }
  }
  set_output(c, 0, out, g->output(channels));
  return Status::success();
}

std::int64_t conv_flops(const NodeTypes& n, int w) {
  const Shape& weights = n.inputs[static_cast<std::size_t>(w)].shape;
  return 2 * n.outputs[0].shape.elements() * weights.elements_between(1, weights.rank());
}

std::vector<std::uint32_t> minus_zero_point(const RefTensor& x, const RefTensor* zero_point,
                                            bool per_channel) {
  std::vector<std::uint32_t> out(static_cast<std::size_t>(x.type.shape.elements()));
  const std::int64_t inner = x.type.shape.elements_between(1, x.type.shape.rank());
  const bool one = zero_point == nullptr || zero_point->type.shape.elements() == 1 || !per_channel;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const std::int64_t zero =
        zero_point == nullptr ? 0 : get_i64(*zero_point, one ? 0 : at / inner);
    out[i] = static_cast<std::uint32_t>(get_i64(x, at) - zero);
  }
  return out;
}

}  // namespace polaris
