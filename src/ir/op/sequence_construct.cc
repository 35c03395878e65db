#include "ir/op_util/sequence.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  Shape shape = c.in(0).shape;
  for (int i = 1; i < c.input_count(); ++i) {
    if (auto s = check_same_dtype(c, 0, i); !s) return s;
    shape = join_shapes(shape, c.in(i).shape);
  }
  set_output(c, 0, {c.in(0).dtype, shape, {}, ValueKind::kSequence});
  return Status::success();
}

Status host(HostContext& c) {
  std::vector<Tensor> items;
  for (const Tensor* input : c.inputs) items.push_back(*input);
  return give_sequence(c, std::move(items));
}

constexpr Port kInputs[] = {{"inputs", kVariadic | kStrings}};
constexpr Port kOutputs[] = {{"output_sequence"}};

}  // namespace

extern constinit const OpDef op_sequence_construct{
    .name = "SequenceConstruct",
    .doc = "A sequence of the inputs, which have one element type.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .infer = infer,
    .host = host,
};

}  // namespace polaris
