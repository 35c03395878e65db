#include <cmath>

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (c.as<BatchNormAttrs>().training_mode || c.outputs.size() > 1) {
    return Error::unsupported(c.fail("training mode").message());
  }
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 2)); !s) return s;
  for (int i = 1; i < 5; ++i) {
    if (auto s = all_of(check_dtype(c, i, kFloatTypes), check_rank(c, i, 1, 1)); !s) return s;
    if (auto s = check_dims(c, "size of a parameter", c.in(i).shape[0], c.in(0).shape[1]); !s) {
      return s;
    }
  }
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const double epsilon = static_cast<double>(c.as<BatchNormAttrs>().epsilon);
  const AxisSplit split = split_at(c.in(0).type.shape, 1);
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    const std::int64_t channel = i / split.inner % split.size;
    const double centered = get_f64(c.in(0), i) - get_f64(c.in(3), channel);
    const double scale = get_f64(c.in(1), channel) / std::sqrt(get_f64(c.in(4), channel) + epsilon);
    put_f64(c.out(0), i, centered * scale + get_f64(c.in(2), channel));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return 2 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"X", kSpatial}, {"scale"}, {"B"}, {"input_mean"}, {"input_var"}};
constexpr Port kOutputs[] = {
    {"Y", kSpatial}, {"running_mean", kOptional}, {"running_var", kOptional}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_batch_normalization{
    .name = "BatchNormalization",
    .doc = "(X - mean) / sqrt(variance + epsilon) * scale + B with given moments per channel.",
    .since = 15,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<BatchNormAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
    .flops = flops,
};

}  // namespace polaris
