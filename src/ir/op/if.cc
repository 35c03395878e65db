#include "ir/op_util/control.h"

namespace polaris {
namespace {

Status map(ControlView& v) {
  v.choice(ControlView::Choose::kFirstIfTrue, 0);
  return Status::success();
}

Status infer(InferContext& c) { return check_one(c, 0, DType::kBool); }

constexpr Port kInputs[] = {{"cond", kHostRead}, {"captures", kOptional | kVariadic}};
constexpr Port kOutputs[] = {{"outputs", kOptional | kVariadic}};
constexpr ControlDef kControl{.regions = 2, .own_inputs = 1, .map = map};

}  // namespace

extern constinit const OpDef op_if{
    .name = "If",
    .doc =
        "Runs the first branch where cond holds, else the second. Inputs after cond are handed to "
        "both branches.",
    .since = 25,
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .control = &kControl,
};

}  // namespace polaris
