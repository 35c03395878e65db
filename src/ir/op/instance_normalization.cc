#include "ir/op_attrs/normalization.h"
#include "ir/op_util/group_norm.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) { return infer_group_norm(c, 1); }

Status reference(RefContext& c) {
  const std::int64_t channels = c.in(0).type.shape[1];
  if (c.in(0).type.shape.elements() == 0) return Status::success();
  return group_norm(c, channels, static_cast<double>(c.as<InstanceNormAttrs>().epsilon));
}

std::int64_t flops(const NodeTypes& n) { return 8 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"input"}, {"scale"}, {"B"}};
constexpr Port kOutputs[] = {{"output"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_instance_normalization{
    .name = "InstanceNormalization",
    .doc = "Each channel of each instance to mean 0 and deviation 1, then scale and B per channel.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<InstanceNormAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
    .flops = flops,
};

}  // namespace polaris
