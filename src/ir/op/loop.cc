#include "ir/op_attrs/control.h"
#include "ir/op_util/control.h"

namespace polaris {
namespace {

Status map(ControlView& v) {
  v.trips = 0;
  v.first = 1;
  v.again = 0;
  Region& body = v.regions[0];
  body.inputs = {{.from = RegionInput::From::kRound}, {.from = RegionInput::From::kTrue}};
  const int carried = v.carried(2);
  for (int i = 0; i < carried; ++i) v.carry(2 + i, 1 + i);
  for (int i = carried; i < v.outputs; ++i) {
    v.results.push_back({.from = ControlResult::From::kStacked, .index = 1 + i});
  }
  v.form = ControlView::Form::kRounds;
  body.outputs = 1 + v.outputs;
  return Status::success();
}

Status infer(InferContext& c) {
  if (auto s = check_one(c, 0, DType::kI64); !s) return s;
  return check_one(c, 1, DType::kBool);
}

constexpr Port kInputs[] = {{"M", kOptional | kHostRead},
                            {"cond", kOptional | kHostRead},
                            {"v_initial", kOptional | kVariadic}};
constexpr Port kOutputs[] = {{"v_final_and_scan_outputs", kOptional | kVariadic}};
constexpr ControlDef kControl{.own_inputs = 2, .counts_captures = true, .map = map};

}  // namespace

extern constinit const OpDef op_loop{
    .name = "Loop",
    .doc =
        "Runs the body up to M times while cond holds, both may be absent. The body maps "
        "(iteration, "
        "cond, carried..., captures...) to (cond, carried..., scan elements...); scan elements are "
        "stacked along a new first dim.",
    .since = 25,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<LoopAttrs>,
    .infer = infer,
    .control = &kControl,
};

}  // namespace polaris
