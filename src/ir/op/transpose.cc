#include "ir/op_attrs/shape.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

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

Status reference(RefContext& c) {
  const Shape& in = c.in(0).type.shape;
  const Shape strides = row_major_strides(in);
  Shape permuted;
  for (int i = 0; i < in.rank(); ++i) {
    permuted.push_back(strides[source_axis(c.as<TransposeAttrs>(), i, in.rank())]);
  }
  Walk walk(c.out(0).type.shape);
  const int from = walk.add(permuted);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    copy_elements(c.out(0), i, c.in(0), walk[from]);
  }
  return Status::success();
}

/// A view where the dims above 1 keep their order.
std::optional<ViewOf> view(const NodeTypes& n, int) {
  const auto& attrs = static_cast<const TransposeAttrs&>(*n.attrs);
  const Shape& in = n.inputs[0].shape;
  int last = -1;
  for (int i = 0; i < in.rank(); ++i) {
    const int axis = source_axis(attrs, i, in.rank());
    if (in[axis] == 1) continue;
    if (axis < last) return std::nullopt;
    last = axis;
  }
  return ViewOf{0, 0};
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
    .reference = reference,
    .view = view,
};

}  // namespace polaris
