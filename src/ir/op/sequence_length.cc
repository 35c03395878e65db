#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  set_output(c, 0, DType::kI64, {});
  return Status::success();
}

Status host(HostContext& c) {
  const auto count = static_cast<std::int64_t>(c.in(0).items().size());
  auto length = Tensor::from<std::int64_t>(DType::kI64, {}, {&count, 1});
  if (!length) return length.error();
  c.give(0, length.take());
  return Status::success();
}

constexpr Port kInputs[] = {{"input_sequence", kSequence | kNoTensor | kStrings}};
constexpr Port kOutputs[] = {{"length"}};

}  // namespace

extern constinit const OpDef op_sequence_length{
    .name = "SequenceLength",
    .doc = "How many tensors the sequence has.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
