#include "ir/op_util/infer.h"
#include "ir/op_util/random.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  return infer_random_like(c, c.as<RandomNormalLikeAttrs>().dtype, kFloatTypes);
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<RandomNormalLikeAttrs>();
  fill_normal(c, attrs.mean, attrs.scale, attrs.seed);
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_random_normal_like{
    .name = "RandomNormalLike",
    .doc = "Numbers as RandomNormal has them, in the input's shape.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kTypeOnly,
    .make_attrs = make_attrs<RandomNormalLikeAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
