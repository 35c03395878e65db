#include "ir/op_util/infer.h"
#include "ir/op_util/view.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 1, dtype_set(DType::kI64)), check_rank(c, 1, 0, 1)); !s) {
    return s;
  }
  const Shape& in = c.in(0).shape;
  bool drop[kMaxRank] = {};
  if (!c.has(1)) {
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
    if (!is_static_dim(count) || count > in.rank()) return c.fail("the axes are not known");
    set_output(c, 0, c.in(0).dtype,
               Shape::filled(in.rank() - static_cast<int>(count), kUnknownDim));
    return Status::success();
  }
  Shape out;
  for (int i = 0; i < in.rank(); ++i) {
    // Without axes a dim that is not known may go, and the others move up.
    if (!drop[i]) out.push_back(c.has(1) || in.is_static() ? in[i] : kUnknownDim);
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
    .traits = kFoldable,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .infer = infer,
    .reference = copy_reference,
    .inplace = kViewInPlace,
    .view = view_all,
};

}  // namespace polaris
