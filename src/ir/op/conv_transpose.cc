#include "ir/op_util/conv.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_same_dtype(c, 0, 1),
                      check_same_dtype(c, 0, 2));
      !s) {
    return s;
  }
  const auto& attrs = c.as<ConvTransposeAttrs>();
  const auto g = conv_transpose_geometry(c.in(0).shape, c.in(1).shape, attrs);
  if (!g) return c.fail(g.error().message());
  const std::int64_t channels = dim_mul(c.in(1).shape[1], attrs.group);
  if (c.has(2)) {
    if (auto s = all_of(check_rank(c, 2, 1, 1),
                        check_dims(c, "size of the bias", c.in(2).shape[0], channels));
        !s) {
      return s;
    }
  }
  Shape out{g->batch, channels};
  for (int i = kSpatialMax - g->spatial; i < kSpatialMax; ++i) out.push_back(g->dims[i].in);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto g =
      conv_transpose_geometry(c.in(0).type.shape, c.in(1).type.shape, c.as<ConvTransposeAttrs>());
  if (!g) return c.fail(g.error().message());
  const std::vector<double> x = read_f64(c.in(0));
  const std::vector<double> w = read_f64(c.in(1));
  std::vector<double> y(static_cast<std::size_t>(c.out(0).type.shape.elements()), 0.0);
  const std::int64_t in_channels = g->groups * g->group_out;
  const std::int64_t positions = g->out_size();
  const std::int64_t out_size = g->in_size();
  const std::int64_t kernel = g->kernel_size();
  for (std::int64_t plane = 0; plane < g->batch * in_channels; ++plane) {
    const std::int64_t channel = plane % in_channels;
    const std::int64_t first_out =
        (plane / in_channels * g->groups + channel / g->group_out) * g->group_in;
    for (std::int64_t p = 0; p < positions; ++p) {
      const double v = x[static_cast<std::size_t>(plane * positions + p)];
      for (std::int64_t m = 0; m < g->group_in; ++m) {
        double* to = y.data() + (first_out + m) * out_size;
        const double* weights = w.data() + (channel * g->group_in + m) * kernel;
        each_tap(*g, p, [&](std::int64_t k, std::int64_t at) { to[at] += v * weights[k]; });
      }
    }
  }
  const std::int64_t channels = g->groups * g->group_in;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const double bias = c.has(2) ? get_f64(c.in(2), at / out_size % channels) : 0.0;
    put_f64(c.out(0), at, y[i] + bias);
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const Shape& w = n.inputs[1].shape;
  return 2 * n.inputs[0].shape.elements() * w.elements_between(1, w.rank());
}

constexpr Port kInputs[] = {{"X", kSpatial}, {"W"}, {"B", kOptional}};
constexpr Port kOutputs[] = {{"Y", kSpatial}};

}  // namespace

extern constinit const OpDef op_conv_transpose{
    .name = "ConvTranspose",
    .doc =
        "Transposed convolution of [N, C, 1 to 3 spatial dims] with W [C, M / group, kernel] "
        "plus B.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ConvTransposeAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
