#include "ir/op_attrs/sequence.h"
#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (c.has(0)) {
    const bool sequence = c.in(0).kind == ValueKind::kSequence;
    set_output(c, 0, c.in(0).as(sequence ? ValueKind::kOptionalSequence : ValueKind::kOptional));
    return Status::success();
  }
  const auto& attrs = c.as<OptionalAttrs>();
  const Shape any = Shape::filled(kMaxRank, kUnknownDim);
  set_output(
      c, 0,
      {attrs.dtype, any, {}, attrs.sequence ? ValueKind::kOptionalSequence : ValueKind::kOptional});
  return Status::success();
}

Status host(HostContext& c) {
  const bool sequence = c.types[0].kind == ValueKind::kOptionalSequence;
  const TensorType held = c.types[0].as(sequence ? ValueKind::kSequence : ValueKind::kTensor);
  auto out = make_optional(held, c.has(0) ? std::optional(c.in(0)) : std::nullopt);
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"input", kOptional | kSequence | kStrings}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_optional{
    .name = "Optional",
    .doc = "An optional of the input, or of nothing; then the attributes say of what.",
    .since = 15,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<OptionalAttrs>,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
