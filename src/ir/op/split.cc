#include "ir/op_attrs/shape.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/slice.h"

namespace polaris {
namespace {

Status from_sizes(InferContext& c, int axis, const std::vector<std::int64_t>& sizes) {
  if (sizes.size() != c.outputs.size()) {
    return c.fail("sizes, got " + std::to_string(sizes.size()) + " for " +
                  std::to_string(c.outputs.size()) + " outputs");
  }
  Shape out = c.in(0).shape;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 0) return c.fail("size, got " + std::to_string(sizes[i]) + ", wanted 0 or more");
    total = dim_add(total, sizes[i]);
    out[axis] = sizes[i];
    set_output(c, static_cast<int>(i), c.in(0).dtype, out);
  }
  if (!is_static_dim(total)) return c.fail("the sum of the sizes is no size");
  return check_dims(c, "sum of the sizes", total, c.in(0).shape[axis]);
}

Status infer(InferContext& c) {
  const auto& attrs = c.as<SplitAttrs>();
  const Shape& in = c.in(0).shape;
  if (auto s = all_of(check_rank(c, 0, 1), check_dtype(c, 1, dtype_set(DType::kI64)),
                      check_rank(c, 1, 1, 1));
      !s) {
    return s;
  }
  auto axis = check_axis(c, attrs.axis, in.rank());
  if (!axis) return axis.error();
  const auto count = static_cast<std::int64_t>(c.outputs.size());
  if (attrs.num_outputs != 0 && attrs.num_outputs != count) {
    return c.fail("num_outputs, got " + std::to_string(attrs.num_outputs) + " for " +
                  std::to_string(count) + " outputs");
  }
  const auto sizes = c.has(1) ? c.ints(1) : std::nullopt;
  if (sizes) return from_sizes(c, *axis, *sizes);
  Shape out = in;
  if (c.has(1) || !is_static_dim(in[*axis])) {
    out[*axis] = kUnknownDim;
    for (std::int64_t i = 0; i < count; ++i) {
      set_output(c, static_cast<int>(i), c.in(0).dtype, out);
    }
    return Status::success();
  }
  // Equal chunks, the last one smaller where they do not divide.
  const std::int64_t chunk = (in[*axis] + count - 1) / count;
  std::vector<std::int64_t> equal(static_cast<std::size_t>(count), chunk);
  equal.back() = in[*axis] - chunk * (count - 1);
  return from_sizes(c, *axis, equal);
}

Status reference(RefContext& c) {
  const Shape& in = c.in(0).type.shape;
  const int axis = *normalize_axis(c.as<SplitAttrs>().axis, in.rank());
  const AxisSplit whole = split_at(in, axis);
  std::int64_t at = 0;
  for (RefTensor& out : c.outputs) {
    const std::int64_t run = out.type.shape[axis] * whole.inner;
    for (std::int64_t o = 0; out.data != nullptr && o < whole.outer; ++o) {
      copy_elements(out, o * run, c.in(0), (o * whole.size + at) * whole.inner, run);
    }
    at += out.type.shape[axis];
  }
  return Status::success();
}

std::optional<ViewOf> view(const NodeTypes& n, int output) {
  const Shape& in = n.inputs[0].shape;
  const auto axis = normalize_axis(static_cast<const SplitAttrs&>(*n.attrs).axis, in.rank());
  if (!axis) return std::nullopt;
  Shape starts = Shape::filled(in.rank(), 0);
  for (int i = 0; i < output; ++i) {
    starts[*axis] += n.outputs[static_cast<std::size_t>(i)].shape[*axis];
  }
  const Shape& sizes = n.outputs[static_cast<std::size_t>(output)].shape;
  const auto offset = contiguous_offset(n.inputs[0], starts, sizes);
  if (!offset) return std::nullopt;
  return ViewOf{0, *offset};
}

constexpr Port kInputs[] = {{"input"}, {"split", kOptional | kHostRead}};
constexpr Port kOutputs[] = {{"outputs", kVariadic}};

}  // namespace

extern constinit const OpDef op_split{
    .name = "Split",
    .doc = "Parts along an axis, of the given sizes or equal ones.",
    .since = 18,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kAxisFree,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<SplitAttrs>,
    .infer = infer,
    .reference = reference,
    .view = view,
};

}  // namespace polaris
