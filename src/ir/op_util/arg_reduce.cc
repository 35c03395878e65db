#include "ir/op_util/arg_reduce.h"

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/compare.h"
#include "ir/op_util/infer.h"

namespace polaris {

Status infer_arg_reduce(InferContext& c) {
  const auto& attrs = c.as<ArgReduceAttrs>();
  if (auto s = all_of(check_dtype(c, 0, kNumericTypes), check_rank(c, 0, 1)); !s) return s;
  auto axis = check_axis(c, attrs.axis, c.in(0).shape.rank());
  if (!axis) return axis.error();
  Shape out = c.in(0).shape;
  if (out[*axis] == 0) return c.fail("axis of size 0");
  if (attrs.keepdims) {
    out[*axis] = 1;
  } else {
    out.erase(*axis);
  }
  set_output(c, 0, DType::kI64, out);
  return Status::success();
}

Status arg_reduce(RefContext& c, bool largest) {
  const auto& attrs = c.as<ArgReduceAttrs>();
  const Shape& shape = c.in(0).type.shape;
  const AxisSplit split = split_at(shape, *normalize_axis(attrs.axis, shape.rank()));
  for (std::int64_t o = 0; o < split.outer; ++o) {
    for (std::int64_t i = 0; i < split.inner; ++i) {
      const std::int64_t base = o * split.size * split.inner + i;
      std::int64_t best = 0;
      for (std::int64_t k = 1; k < split.size; ++k) {
        const std::int64_t here = base + k * split.inner;
        const std::int64_t there = base + best * split.inner;
        const bool better = attrs.select_last_index ? !element_beats(c.in(0), there, here, largest)
                                                    : element_beats(c.in(0), here, there, largest);
        if (better) best = k;
      }
      put_i64(c.out(0), o * split.inner + i, best);
    }
  }
  return Status::success();
}

}  // namespace polaris
