#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  set_output(c, 0, c.in(0).as(ValueKind::kTensor));
  return check_position(c, 1);
}

Status host(HostContext& c) {
  const auto items = c.in(0).items();
  const auto at = position_in(c, 1, static_cast<std::int64_t>(items.size()));
  if (!at) return at.error();
  c.give(0, items[static_cast<std::size_t>(*at)]);
  return Status::success();
}

constexpr Port kInputs[] = {{"input_sequence", kSequence | kNoTensor | kStrings}, {"position"}};
constexpr Port kOutputs[] = {{"tensor"}};

}  // namespace

extern constinit const OpDef op_sequence_at{
    .name = "SequenceAt",
    .doc = "The tensor at a position of the sequence, counted from the back where it is negative.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
