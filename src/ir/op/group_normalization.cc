#include "ir/op_attrs/normalization.h"
#include "ir/op_util/group_norm.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) { return infer_group_norm(c, c.as<GroupNormAttrs>().num_groups); }

Status reference(RefContext& c) {
  if (c.in(0).type.shape.elements() == 0) return Status::success();
  const auto& attrs = c.as<GroupNormAttrs>();
  return group_norm(c, attrs.num_groups, static_cast<double>(attrs.epsilon));
}

std::int64_t flops(const NodeTypes& n) { return 8 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"X"}, {"scale"}, {"bias"}};
constexpr Port kOutputs[] = {{"Y"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_group_normalization{
    .name = "GroupNormalization",
    .doc = "Each group of channels to mean 0 and deviation 1, then scale and bias per channel.",
    .since = 21,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<GroupNormAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
    .flops = flops,
};

}  // namespace polaris
