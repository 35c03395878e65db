#include "ir/op_util/random.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<RandomUniformAttrs>();
  return infer_random(c, attrs.dtype, attrs.shape);
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<RandomUniformAttrs>();
  fill_uniform(c, attrs.low, attrs.high, attrs.seed);
  return Status::success();
}

constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_random_uniform{
    .name = "RandomUniform",
    .doc =
        "Evenly distributed numbers: the same for a seed in every run; without one the name is it.",
    .since = 22,
    .outputs = kOutputs,
    .make_attrs = make_attrs<RandomUniformAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
