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
  const std::int64_t count = c.in(1).shape.rank() == 0 ? 1 : c.in(1).shape[0];
  if (!is_static_dim(count)) {
    set_output(c, 0, c.in(0).dtype, any_rank());
    return Status::success();
  }
  if (count > kMaxRank - in.rank()) {
    return c.fail("output rank, wanted at most " + std::to_string(kMaxRank));
  }
  const int rank = in.rank() + static_cast<int>(count);
  const auto axes = c.ints(1);
  if (!axes) {
    set_output(c, 0, c.in(0).dtype, Shape::filled(rank, kUnknownDim));
    return Status::success();
  }
  bool fresh[kMaxRank] = {};
  for (std::int64_t axis : *axes) {
    auto at = check_axis(c, axis, rank);
    if (!at) return at.error();
    if (fresh[*at]) return c.fail("axis " + std::to_string(*at) + " is named twice");
    fresh[*at] = true;
  }
  Shape out;
  int from = 0;
  for (int i = 0; i < rank; ++i) out.push_back(fresh[i] ? 1 : in[from++]);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

constexpr Port kInputs[] = {{"data"}, {"axes", kHostRead}};
constexpr Port kOutputs[] = {{"expanded"}};

}  // namespace

extern constinit const OpDef op_unsqueeze{
    .name = "Unsqueeze",
    .doc = "With dims of size 1 put in at axes of the output.",
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
