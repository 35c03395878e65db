#include <cmath>

#include "ir/op_attrs/select.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// The depth as far as it is known; it may be a float.
KnownInt known_depth(const InferContext& c) {
  if (c.value(1) != nullptr && is_float(c.in(1).dtype)) {
    const double depth = std::trunc(element_as_f64(*c.value(1), 0));
    const bool fits = depth >= 0 && depth < 9e15;
    return {KnownInt::Kind::kNumber, fits ? static_cast<std::int64_t>(depth) : -1};
  }
  const auto known = c.known_ints(1);
  return known ? known->front() : KnownInt{};
}

Status infer(InferContext& c) {
  if (auto s =
          all_of(check_dtype(c, 0, kNumericTypes), check_rank(c, 0, 0, kMaxRank - 1),
                 check_dtype(c, 1, kNumericTypes), check_rank(c, 1, 0, 1), check_rank(c, 2, 1, 1),
                 check_dims(c, "number of values", c.in(2).shape[0], 2));
      !s) {
    return s;
  }
  for (std::int64_t dim : c.in(1).shape) {
    if (auto s = check_dims(c, "size of depth", dim, 1); !s) return s;
  }
  Shape out = c.in(0).shape;
  const auto axis = check_axis(c, c.as<OneHotAttrs>().axis, out.rank() + 1);
  if (!axis) return axis.error();
  const KnownInt depth = known_depth(c);
  if (depth.is_number() && depth.value < 0) {
    return c.fail("depth, got a negative number or one too large, wanted 0 or more");
  }
  out.insert(*axis, depth.dim());
  set_output(c, 0, c.in(2).dtype, out);
  return Status::success();
}

/// The place that an index names: those from -depth on count from the end. -1: none.
std::int64_t place_of(const RefTensor& indices, std::int64_t i, std::int64_t depth) {
  if (is_float(indices.type.dtype) && !(std::fabs(get_f64(indices, i)) < 9e15)) return -1;
  std::int64_t at = get_i64(indices, i);
  const bool wraps = !is_float(indices.type.dtype) && !is_signed_integer(indices.type.dtype);
  if (wraps && at < 0) return -1;
  if (at < 0) at += depth;
  return at >= 0 && at < depth ? at : -1;
}

Status reference(RefContext& c) {
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const Shape& shape = c.out(0).type.shape;
  const AxisSplit split = split_at(shape, *normalize_axis(c.as<OneHotAttrs>().axis, shape.rank()));
  for (std::int64_t i = 0; i < split.outer * split.inner; ++i) {
    const std::int64_t hot = place_of(c.in(0), i, split.size);
    const std::int64_t base = i / split.inner * split.size * split.inner + i % split.inner;
    for (std::int64_t k = 0; k < split.size; ++k) {
      copy_elements(c.out(0), base + k * split.inner, c.in(2), k == hot ? 1 : 0);
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"indices"}, {"depth", kHostRead}, {"values", kStrings}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_one_hot{
    .name = "OneHot",
    .doc =
        "A new axis of size `depth`, with values[1] at each index and values[0] elsewhere; indices "
        "from -depth to -1 count from the end, others are nowhere.",
    .since = 11,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<OneHotAttrs>,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
