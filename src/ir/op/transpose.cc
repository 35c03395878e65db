#include "ir/op_attrs/shape.h"
#include "ir/op_util/infer.h"
#include "ir/strided_move.h"

namespace polaris {
namespace {

/// The input axis that becomes output axis i.
int source_axis(const TransposeAttrs& attrs, int i, int rank) {
  return attrs.perm.empty() ? rank - 1 - i
                            : static_cast<int>(attrs.perm[static_cast<std::size_t>(i)]);
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<TransposeAttrs>();
  const Shape& in = c.in(0).shape;
  if (!attrs.perm.empty() && attrs.perm.size() != static_cast<std::size_t>(in.rank())) {
    return c.fail("perm, got " + std::to_string(attrs.perm.size()) + " axes, wanted " +
                  std::to_string(in.rank()));
  }
  bool seen[kMaxRank] = {};
  for (std::int64_t axis : attrs.perm) {
    if (axis < 0 || axis >= in.rank() || seen[axis]) {
      return c.fail("perm, got axis " + std::to_string(axis) + ", wanted each axis once");
    }
    seen[axis] = true;
  }
  Shape out;
  for (int i = 0; i < in.rank(); ++i) out.push_back(in[source_axis(attrs, i, in.rank())]);
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

std::optional<StridedMove> move(const NodeTypes& n) {
  const auto& attrs = static_cast<const TransposeAttrs&>(*n.attrs);
  const Shape& in = n.inputs[0].shape;
  const Shape strides = row_major_strides(in);
  StridedMove out;
  for (int i = 0; i < in.rank(); ++i) {
    const int axis = source_axis(attrs, i, in.rank());
    out.add(in[axis], strides[axis]);
  }
  return out;
}

constexpr Port kInputs[] = {{"data"}};
constexpr Port kOutputs[] = {{"transposed"}};

}  // namespace

extern constinit const OpDef op_transpose{
    .name = "Transpose",
    .doc = "Axes in the order of perm, or reversed.",
    .since = 24,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<TransposeAttrs>,
    .infer = infer,
    .reference = move_reference,
    .view = move_view,
    .move = move,
};

}  // namespace polaris
