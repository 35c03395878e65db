#include "ir/op_attrs/sequence.h"
#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Shape any = Shape::filled(kMaxRank, kUnknownDim);
  set_output(c, 0, {c.as<SequenceEmptyAttrs>().dtype, any, {}, ValueKind::kSequence});
  return Status::success();
}

Status host(HostContext& c) { return give_sequence(c, {}); }

constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_sequence_empty{
    .name = "SequenceEmpty",
    .doc = "A sequence of tensors to come of an element type, without any.",
    .since = 11,
    .outputs = kOutputs,
    .make_attrs = make_attrs<SequenceEmptyAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
