#include "ir/op_attrs/shape.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/slice.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  Shape out = c.in(0).shape;
  if (auto s = check_rank(c, 0, 1); !s) return s;
  auto axis = check_axis(c, c.as<ConcatAttrs>().axis, out.rank());
  if (!axis) return axis.error();
  for (int i = 1; i < c.input_count(); ++i) {
    if (auto s = all_of(check_same_dtype(c, 0, i), check_rank(c, i, out.rank(), out.rank())); !s) {
      return s;
    }
    for (int d = 0; d < out.rank(); ++d) {
      const std::int64_t dim = c.in(i).shape[d];
      if (d == *axis) {
        out[d] = dim_add(out[d], dim);
        continue;
      }
      if (auto s = check_dims(c, "dim " + std::to_string(d) + " of input " + std::to_string(i), dim,
                              out[d]);
          !s) {
        return s;
      }
      if (!is_static_dim(out[d]) && is_static_dim(dim)) out[d] = dim;
    }
  }
  set_output(c, 0, c.in(0).dtype, out);
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& out = c.out(0).type.shape;
  const int axis = *normalize_axis(c.as<ConcatAttrs>().axis, out.rank());
  const AxisSplit whole = split_at(out, axis);
  std::int64_t at = 0;
  for (const RefTensor& in : c.inputs) {
    const std::int64_t run = in.type.shape[axis] * whole.inner;
    for (std::int64_t o = 0; o < whole.outer; ++o) {
      copy_elements(c.out(0), (o * whole.size + at) * whole.inner, in, o * run, run);
    }
    at += in.type.shape[axis];
  }
  return Status::success();
}

std::optional<ViewOf> part(const NodeTypes& n, int input) {
  const Shape& out = n.outputs[0].shape;
  const auto axis = normalize_axis(static_cast<const ConcatAttrs&>(*n.attrs).axis, out.rank());
  if (!axis) return std::nullopt;
  Shape starts = Shape::filled(out.rank(), 0);
  for (int i = 0; i < input; ++i)
    starts[*axis] += n.inputs[static_cast<std::size_t>(i)].shape[*axis];
  const Shape& sizes = n.inputs[static_cast<std::size_t>(input)].shape;
  const auto offset = contiguous_offset(n.outputs[0], starts, sizes);
  if (!offset) return std::nullopt;
  return ViewOf{0, *offset};
}

constexpr Port kInputs[] = {{"inputs", kVariadic}};
constexpr Port kOutputs[] = {{"concat_result"}};

}  // namespace

extern constinit const OpDef op_concat{
    .name = "Concat",
    .doc = "The inputs one after another along an axis.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kAxisFree | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<ConcatAttrs>,
    .infer = infer,
    .reference = reference,
    .part = part,
};

}  // namespace polaris
