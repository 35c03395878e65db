#include "ir/op_util/conv.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_same_dtype(c, 0, 1),
                      check_same_dtype(c, 0, 2));
      !s) {
    return s;
  }
  return infer_conv(c, 0, 1, 2, c.in(0).dtype);
}

Status reference(RefContext& c) {
  const auto g = conv_geometry(c.in(0).type.shape, c.in(1).type.shape, c.as<ConvAttrs>());
  if (!g) return c.fail(g.error().message());
  conv_each(*g, read_f64(c.in(0)), read_f64(c.in(1)),
            [&](std::int64_t i, std::int64_t channel, double sum) {
              put_f64(c.out(0), i, sum + (c.has(2) ? get_f64(c.in(2), channel) : 0.0));
            });
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return conv_flops(n, 1); }

constexpr Port kInputs[] = {{"X", kSpatial}, {"W"}, {"B", kOptional}};
constexpr Port kOutputs[] = {{"Y", kSpatial}};

}  // namespace

extern constinit const OpDef op_conv{
    .name = "Conv",
    .doc = "Convolution of [N, C, 1 to 3 spatial dims] with W [M, C / group, kernel] plus B.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ConvAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
