#include "ir/op_util/cumulate.h"

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

/// Integers wrap, in uint64; floats go through double.
template <class T, class Get, class Put>
void run_lines(const CumSumAttrs& attrs, const AxisSplit& split, bool product, Get get, Put put) {
  for (std::int64_t line = 0; line < split.outer * split.inner; ++line) {
    const std::int64_t base = line / split.inner * split.size * split.inner + line % split.inner;
    T before = product ? T{1} : T{0};
    for (std::int64_t k = 0; k < split.size; ++k) {
      const std::int64_t at = base + (attrs.reverse ? split.size - 1 - k : k) * split.inner;
      const T x = get(at);
      const T after = product ? before * x : before + x;
      put(at, attrs.exclusive ? before : after);
      before = after;
    }
  }
}

}  // namespace

Status infer_cumulate(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kNumericTypes), check_rank(c, 0, 1),
                      check_dtype(c, 1, kIndexTypes), check_rank(c, 1, 0, 1));
      !s) {
    return s;
  }
  const auto axis = c.ints(1);
  if (axis) {
    if (axis->size() != 1) {
      return c.fail("axis, got " + std::to_string(axis->size()) + " values, wanted one");
    }
    auto at = check_axis(c, (*axis)[0], c.in(0).shape.rank());
    if (!at) return at.error();
  }
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status cumulate(RefContext& c, bool product) {
  const Shape& shape = c.in(0).type.shape;
  const auto axis = normalize_axis(get_i64(c.in(1), 0), shape.rank());
  if (!axis) {
    return c.fail("axis, got " + std::to_string(get_i64(c.in(1), 0)) + ", wanted one of the dims");
  }
  const auto& attrs = c.as<CumSumAttrs>();
  if (shape.elements() == 0) return Status::success();
  const AxisSplit split = split_at(shape, *axis);
  if (is_float(c.in(0).type.dtype)) {
    run_lines<double>(
        attrs, split, product, [&](std::int64_t i) { return get_f64(c.in(0), i); },
        [&](std::int64_t i, double v) { put_f64(c.out(0), i, v); });
  } else {
    run_lines<std::uint64_t>(
        attrs, split, product,
        [&](std::int64_t i) { return static_cast<std::uint64_t>(get_i64(c.in(0), i)); },
        [&](std::int64_t i, std::uint64_t v) {
          put_i64(c.out(0), i, static_cast<std::int64_t>(v));
        });
  }
  return Status::success();
}

}  // namespace polaris
