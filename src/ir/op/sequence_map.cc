#include "ir/op_attrs/sequence.h"
#include "ir/op_util/control.h"

namespace polaris {
namespace {

Status map(ControlView& v) {
  v.form = ControlView::Form::kRounds;
  Region& body = v.regions[0];
  const int given = v.carried(0);
  for (int i = 0; i < given; ++i) {
    body.inputs.push_back({.from = RegionInput::From::kItem, .operand = i});
  }
  for (int i = 0; i < v.outputs; ++i) {
    v.results.push_back({.from = ControlResult::From::kListed, .index = i});
  }
  body.outputs = v.outputs;
  return Status::success();
}

Status infer(InferContext& c) {
  if (c.has(0) && c.in(0).kind == ValueKind::kSequence) return Status::success();
  return c.fail("input_sequence, got " + (c.has(0) ? c.in(0).to_string() : "nothing") +
                ", wanted a sequence");
}

constexpr Port kInputs[] = {{"input_sequence", kSequence | kNoTensor | kStrings},
                            {"additional_inputs", kOptional | kVariadic}};
constexpr Port kOutputs[] = {{"out_sequence", kVariadic}};
constexpr ControlDef kControl{.own_inputs = 1, .counts_captures = true, .map = map};

}  // namespace

extern constinit const OpDef op_sequence_map{
    .name = "SequenceMap",
    .doc =
        "Runs the body for each tensor of the sequence. The body maps (tensors..., captures...) to "
        "the tensors of the output sequences; further inputs that are sequences go along, as long "
        "as the first, and tensors are the same each time.",
    .since = 17,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<SequenceMapAttrs>,
    .infer = infer,
    .control = &kControl,
};

}  // namespace polaris
