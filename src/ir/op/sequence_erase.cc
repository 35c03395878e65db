#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  set_output(c, 0, c.in(0));
  return check_position(c, 1);
}

Status host(HostContext& c) {
  std::vector<Tensor> items = items_of(c, 0);
  const auto count = static_cast<std::int64_t>(items.size());
  if (count == 0) return c.fail("input_sequence is empty");
  const auto at = c.has(1) ? position_in(c, 1, count) : Result<std::int64_t>(count - 1);
  if (!at) return at.error();
  items.erase(items.begin() + *at);
  return give_sequence(c, std::move(items));
}

constexpr Port kInputs[] = {{"input_sequence", kSequence | kNoTensor | kStrings},
                            {"position", kOptional}};
constexpr Port kOutputs[] = {{"output_sequence"}};

}  // namespace

extern constinit const OpDef op_sequence_erase{
    .name = "SequenceErase",
    .doc = "The sequence without the tensor at a position, by default the last.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
