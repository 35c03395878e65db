#include <algorithm>

#include "ir/op_attrs/select.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 1, kBoolTypes), check_rank(c, 1, 1, 1)); !s) return s;
  Shape out = c.in(0).shape;
  const std::int64_t axis = c.as<CompressAttrs>().axis;
  int at = 0;
  if (axis == kNoAxis) {
    out = Shape{out.checked_elements().value_or(kUnknownDim)};
  } else {
    if (auto s = check_rank(c, 0, 1); !s) return s;
    const auto checked = check_axis(c, axis, out.rank());
    if (!checked) return checked.error();
    at = *checked;
  }
  Shape bound = out;
  const std::int64_t asked = c.in(1).shape[0];
  if (is_static_dim(out[at]) && is_static_dim(asked)) bound[at] = std::min(out[at], asked);
  out[at] = kUnknownDim;
  set_output(c, 0, c.in(0).dtype, out);
  if (!c.bounds.empty()) c.bounds[0] = bound;
  return Status::success();
}

Status reference(RefContext& c) {
  const Shape& in = c.in(0).type.shape;
  const std::int64_t axis = c.as<CompressAttrs>().axis;
  const bool flat = axis == kNoAxis;
  const int at = flat ? 0 : *normalize_axis(axis, in.rank());
  Shape shape = flat ? Shape{in.elements()} : in;
  const AxisSplit split = split_at(shape, at);
  std::vector<std::int64_t> kept;
  for (std::int64_t k = 0; k < c.in(1).type.shape[0]; ++k) {
    if (get_i64(c.in(1), k) == 0) continue;
    if (k >= split.size) {
      return c.fail("condition, got a true at " + std::to_string(k) + ", wanted none beyond " +
                    std::to_string(split.size - 1));
    }
    kept.push_back(k);
  }
  shape[at] = static_cast<std::int64_t>(kept.size());
  c.set_shape(0, shape);
  if (shape.elements() == 0) return Status::success();
  std::int64_t to = 0;
  for (std::int64_t outer = 0; outer < split.outer; ++outer) {
    for (std::int64_t k : kept) {
      const std::int64_t from = (outer * split.size + k) * split.inner;
      copy_elements(c.out(0), to, c.in(0), from, split.inner);
      to += split.inner;
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"input", kStrings}, {"condition"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_compress{
    .name = "Compress",
    .doc =
        "The slices along an axis, or the elements of the flat input, where the condition holds.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable | kDataDependent | kPicksElements,
    .make_attrs = make_attrs<CompressAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
