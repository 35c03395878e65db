#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  set_output(c, 0, DType::kBool, {});
  return Status::success();
}

Status host(HostContext& c) {
  bool has = c.has(0);
  if (has) {
    const ValueKind kind = c.in(0).type().kind;
    const bool optional = kind == ValueKind::kOptional || kind == ValueKind::kOptionalSequence;
    has = !optional || !c.in(0).items().empty();
  }
  const std::uint8_t flag = has ? 1 : 0;
  auto out = Tensor::from<std::uint8_t>(DType::kBool, {}, {&flag, 1});
  if (!out) return out.error();
  c.give(0, out.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"input", kOptional | kSequence | kOptionalValue | kStrings}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_optional_has_element{
    .name = "OptionalHasElement",
    .doc =
        "Whether something is in the optional; a tensor and a sequence are there, an absent input "
        "is not.",
    .since = 18,
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
