#include "ir/op_util/infer.h"
#include "ir/op_util/random.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  return infer_random_like(c, c.as<RandomUniformLikeAttrs>().dtype, kFloatTypes);
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<RandomUniformLikeAttrs>();
  fill_uniform(c, attrs.low, attrs.high, attrs.seed);
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_random_uniform_like{
    .name = "RandomUniformLike",
    .doc = "Numbers as RandomUniform has them, in the input's shape.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kTypeOnly,
    .make_attrs = make_attrs<RandomUniformLikeAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
