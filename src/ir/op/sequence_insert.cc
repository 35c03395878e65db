#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_same_dtype(c, 0, 1), check_position(c, 2)); !s) return s;
  TensorType type = c.in(0);
  type.shape = join_shapes(type.shape, c.in(1).shape);
  set_output(c, 0, type);
  return Status::success();
}

Status host(HostContext& c) {
  std::vector<Tensor> items = items_of(c, 0);
  const auto count = static_cast<std::int64_t>(items.size());
  std::int64_t at = count;
  // Before the end is a place too.
  if (c.has(2) && (c.in(2).elements() != 1 || element_as_i64(c.in(2), 0) != count)) {
    const auto given = position_in(c, 2, count);
    if (!given) return given.error();
    at = *given;
  }
  items.insert(items.begin() + at, c.in(1));
  return give_sequence(c, std::move(items));
}

constexpr Port kInputs[] = {{"input_sequence", kSequence | kNoTensor | kStrings},
                            {"tensor", kStrings},
                            {"position", kOptional}};
constexpr Port kOutputs[] = {{"output_sequence"}};

}  // namespace

extern constinit const OpDef op_sequence_insert{
    .name = "SequenceInsert",
    .doc = "The sequence with the tensor put before a position, by default at its end.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
