#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  set_output(c, 0, DType::kI64, Shape{});
  return Status::success();
}

Status reference(RefContext& c) {
  put_i64(c.out(0), 0, c.in(0).type.shape.elements());
  return Status::success();
}

constexpr Port kInputs[] = {{"data", kStrings}};
constexpr Port kOutputs[] = {{"size"}};

}  // namespace

extern constinit const OpDef op_size{
    .name = "Size",
    .doc = "The number of elements of the input.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kTypeOnly,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
