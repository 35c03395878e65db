#include "ir/op_attrs/control.h"
#include "ir/op_util/control.h"

namespace polaris {
namespace {

Status map(ControlView& v) {
  v.form = ControlView::Form::kRounds;
  v.condition = 0;
  v.body = 1;
  for (int i = 0; i < v.carried(0); ++i) v.carry(i, i);
  v.regions[0].outputs = 1;
  v.regions[1].outputs = v.carried(0);
  return Status::success();
}

Status infer(InferContext&) { return Status::success(); }

constexpr Port kInputs[] = {{"initial", kOptional | kVariadic}};
constexpr Port kOutputs[] = {{"final", kOptional | kVariadic}};
constexpr ControlDef kControl{.regions = 2, .counts_captures = true, .map = map};

}  // namespace

extern constinit const OpDef op_while{
    .name = "While",
    .domain = "polaris",
    .doc =
        "Runs the second graph, (carried..., captures...) to (carried...), as long as the first "
        "gives true for the same inputs.",
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<LoopAttrs>,
    .infer = infer,
    .control = &kControl,
};

}  // namespace polaris
