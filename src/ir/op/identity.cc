#include "ir/op_util/elementwise.h"
#include "ir/op_util/view.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) { return x; }

Status infer(InferContext& c) {
  set_output(c, 0, c.in(0));
  return Status::success();
}

Status host(HostContext& c) {
  c.give(0, c.in(0));
  return Status::success();
}

constexpr Port kInputs[] = {{"X", kSequence | kOptionalValue | kStrings}};

}  // namespace

extern constinit const OpDef op_identity{
    .name = "Identity",
    .doc = "The input itself.",
    .since = 21,
    .inputs = kInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .infer = infer,
    .reference = copy_reference,
    .host = host,
    .inplace = kInPlaceUnary,
    .view = view_all,
    .scalar = scalar,
};

}  // namespace polaris
