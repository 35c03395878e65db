#include "ir/op_util/control.h"

namespace polaris {
namespace {

Status map(ControlView& v) {
  v.choice(ControlView::Choose::kIndexElseLast, 0);
  return Status::success();
}

Status infer(InferContext& c) {
  return c.in(0).dtype == DType::kI64 ? check_one(c, 0, DType::kI64) : check_one(c, 0, DType::kI32);
}

constexpr Port kInputs[] = {{"index", kHostRead}, {"captures", kOptional | kVariadic}};
constexpr Port kOutputs[] = {{"outputs", kOptional | kVariadic}};
constexpr ControlDef kControl{.regions = 0, .own_inputs = 1, .map = map};

}  // namespace

extern constinit const OpDef op_case{
    .name = "Case",
    .domain = "polaris",
    .doc =
        "Runs the branch of that index, from 0, or the last one where there is none of that index. "
        "Inputs after index are handed to all branches.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .control = &kControl,
};

}  // namespace polaris
