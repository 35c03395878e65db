#include "ir/op_attrs/reduce.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kNumericTypes), check_rank(c, 0, 1),
                      check_dtype(c, 1, kIndexTypes), check_rank(c, 1, 0, 1));
      !s) {
    return s;
  }
  const auto axis = c.ints(1);
  if (axis) {
    if (axis->size() != 1) return c.fail("axis, got " + std::to_string(axis->size()) + " values");
    auto at = check_axis(c, (*axis)[0], c.in(0).shape.rank());
    if (!at) return at.error();
  }
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

/// Integers wrap, in uint64; floats sum in double.
template <class T, class Get, class Put>
void cumulate(const CumSumAttrs& attrs, const AxisSplit& split, Get get, Put put) {
  for (std::int64_t line = 0; line < split.outer * split.inner; ++line) {
    const std::int64_t base = line / split.inner * split.size * split.inner + line % split.inner;
    T sum{0};
    for (std::int64_t k = 0; k < split.size; ++k) {
      const std::int64_t at = base + (attrs.reverse ? split.size - 1 - k : k) * split.inner;
      const T x = get(at);
      put(at, attrs.exclusive ? sum : sum + x);
      sum += x;
    }
  }
}

Status reference(RefContext& c) {
  const Shape& shape = c.in(0).type.shape;
  const auto axis = normalize_axis(get_i64(c.in(1), 0), shape.rank());
  if (!axis) return c.fail("axis, got " + std::to_string(get_i64(c.in(1), 0)));
  const auto& attrs = c.as<CumSumAttrs>();
  const AxisSplit split = split_at(shape, *axis);
  if (is_float(c.in(0).type.dtype)) {
    cumulate<double>(
        attrs, split, [&](std::int64_t i) { return get_f64(c.in(0), i); },
        [&](std::int64_t i, double v) { put_f64(c.out(0), i, v); });
  } else {
    cumulate<std::uint64_t>(
        attrs, split,
        [&](std::int64_t i) { return static_cast<std::uint64_t>(get_i64(c.in(0), i)); },
        [&](std::int64_t i, std::uint64_t v) {
          put_i64(c.out(0), i, static_cast<std::int64_t>(v));
        });
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"x"}, {"axis", kHostRead}};
constexpr Port kOutputs[] = {{"y"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_cum_sum{
    .name = "CumSum",
    .doc = "Running sums along an axis, with or without the element itself, from either end.",
    .since = 14,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<CumSumAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
};

}  // namespace polaris
