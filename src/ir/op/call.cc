#include "ir/op_util/control.h"

namespace polaris {
namespace {

Status map(ControlView& v) {
  v.choice(ControlView::Choose::kOnly, -1);
  return Status::success();
}

Status infer(InferContext&) { return Status::success(); }

constexpr Port kInputs[] = {{"arguments", kOptional | kVariadic}};
constexpr Port kOutputs[] = {{"results", kOptional | kVariadic}};
constexpr ControlDef kControl{.calls = true, .map = map};

}  // namespace

extern constinit const OpDef op_call{
    .name = "Call",
    .domain = "polaris",
    .doc = "Runs a graph on its inputs. Calls of one function share its graph.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .control = &kControl,
};

}  // namespace polaris
