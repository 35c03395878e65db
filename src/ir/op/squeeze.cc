#include "ir/any_rank.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/view.h"
#include "ir/strided_move.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 0, 1)); !s) {
    return s;
  }
  const Shape& in = c.in(0).shape;
  bool drop[kMaxRank] = {};
  if (!c.has(1)) {
    // A dim that is not known yet may be 1, and go.
    if (!in.is_static()) {
      set_output(c, 0, c.in(0).dtype, any_rank());
      return Status::success();
    }
    for (int i = 0; i < in.rank(); ++i) drop[i] = in[i] == 1;
  } else if (const auto axes = c.ints(1)) {
    for (std::int64_t axis : *axes) {
      auto at = check_axis(c, axis, in.rank());
      if (!at) return at.error();
      if (auto s = check_dims(c, "size of a squeezed dim", in[*at], 1); !s) return s;
      drop[*at] = true;
    }
  } else {
    const std::int64_t count = c.in(1).shape.rank() == 0 ? 1 : c.in(1).shape[0];
    if (count > in.rank()) {
      return c.fail("axes, got " + std::to_string(count) + ", wanted at most the rank, " +
                    std::to_string(in.rank()));
    }
    set_output(c, 0, c.in(0).dtype,
               is_static_dim(count) ? unknown_shape(in.rank() - count) : any_rank());
    return Status::success();
  }
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    if (!drop[i]) out.push_back(in[i]);
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

constexpr Port kInputs[] = {{"data"}, {"axes", kOptional | kHostRead}};
constexpr Port kOutputs[] = {{"squeezed"}};

}  // namespace

extern constinit const OpDef op_squeeze{
    .name = "Squeeze",
    .doc = "Without the dims of size 1 named by axes, or without all of them.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .infer = infer,
    .reference = copy_reference,
    .inplace = kViewInPlace,
    .view = view_all,
    .move = move_all,
};

}  // namespace polaris
