#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  TensorType type = c.in(0);
  if (type.kind == ValueKind::kOptional) type.kind = ValueKind::kTensor;
  if (type.kind == ValueKind::kOptionalSequence) type.kind = ValueKind::kSequence;
  set_output(c, 0, type);
  return Status::success();
}

Status host(HostContext& c) {
  const Tensor& value = c.in(0);
  const ValueKind kind = value.type().kind;
  const bool optional = kind == ValueKind::kOptional || kind == ValueKind::kOptionalSequence;
  if (optional && value.items().empty()) return c.fail("input is an optional of nothing");
  c.give(0, optional ? value.items().front() : value);
  return Status::success();
}

constexpr Port kInputs[] = {{"input", kSequence | kOptionalValue | kStrings}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_optional_get_element{
    .name = "OptionalGetElement",
    .doc =
        "What is in the optional, which must not be nothing; a tensor and a sequence are "
        "themselves.",
    .since = 18,
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
