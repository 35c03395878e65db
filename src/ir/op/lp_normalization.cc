#include <cmath>

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<LpNormAttrs>();
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 1)); !s) return s;
  if (attrs.p != 1 && attrs.p != 2) {
    return c.fail("p, got " + std::to_string(attrs.p) + ", wanted 1 or 2");
  }
  const auto axis = check_axis(c, attrs.axis, c.in(0).shape.rank());
  if (!axis) return axis.error();
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const auto& attrs = c.as<LpNormAttrs>();
  const Shape& shape = c.in(0).type.shape;
  const AxisSplit split = split_at(shape, *normalize_axis(attrs.axis, shape.rank()));
  for (std::int64_t line = 0; line < split.outer * split.inner; ++line) {
    const std::int64_t base = line / split.inner * split.size * split.inner + line % split.inner;
    double norm = 0;
    for (std::int64_t k = 0; k < split.size; ++k) {
      const double x = std::fabs(get_f64(c.in(0), base + k * split.inner));
      norm += attrs.p == 1 ? x : x * x;
    }
    if (attrs.p == 2) norm = std::sqrt(norm);
    for (std::int64_t k = 0; k < split.size; ++k) {
      const std::int64_t at = base + k * split.inner;
      put_f64(c.out(0), at, get_f64(c.in(0), at) / norm);
    }
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return work_of({3, n.outputs[0].shape.elements()}); }

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_lp_normalization{
    .name = "LpNormalization",
    .doc = "Each line along an axis divided by its norm, L1 or L2; a line of zeros becomes NaN.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LpNormAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
