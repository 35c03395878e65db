#include "ir/op_attrs/shape.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/view.h"
#include "ir/strided_move.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const Shape& in = c.in(0).shape;
  std::int64_t axis = c.as<FlattenAttrs>().axis;
  if (axis < -in.rank() || axis > in.rank()) {
    return c.fail("axis, got " + std::to_string(axis) + ", wanted one of a tensor of rank " +
                  std::to_string(in.rank()));
  }
  if (axis < 0) axis += in.rank();
  Shape out{1, 1};
  for (int i = 0; i < in.rank(); ++i) out[i < axis ? 0 : 1] = dim_mul(out[i < axis ? 0 : 1], in[i]);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_flatten{
    .name = "Flatten",
    .doc = "A matrix: the dims before `axis` by the dims from it.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<FlattenAttrs>,
    .infer = infer,
    .reference = copy_reference,
    .inplace = kViewInPlace,
    .view = view_all,
    .move = move_all,
};

}  // namespace polaris
