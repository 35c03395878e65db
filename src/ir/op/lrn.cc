#include <algorithm>
#include <cmath>

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<LrnAttrs>();
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 2)); !s) return s;
  if (attrs.size < 1)
    return c.fail("size, got " + std::to_string(attrs.size) + ", wanted 1 or more");
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  if (c.out(0).type.shape.elements() == 0) return Status::success();
  const auto& attrs = c.as<LrnAttrs>();
  const AxisSplit split = split_at(c.in(0).type.shape, 1);
  const std::int64_t size = attrs.size;
  const auto factor = static_cast<double>(attrs.alpha) / static_cast<double>(size);
  for (std::int64_t line = 0; line < split.outer * split.inner; ++line) {
    const std::int64_t base = line / split.inner * split.size * split.inner + line % split.inner;
    for (std::int64_t channel = 0; channel < split.size; ++channel) {
      const std::int64_t first = channel - std::min((size - 1) / 2, channel);
      const std::int64_t last = channel + std::min(size / 2, split.size - 1 - channel);
      double sum = 0;
      for (std::int64_t k = first; k <= last; ++k) {
        const double x = get_f64(c.in(0), base + k * split.inner);
        sum += x * x;
      }
      const std::int64_t at = base + channel * split.inner;
      const double scale = static_cast<double>(attrs.bias) + factor * sum;
      put_f64(c.out(0), at,
              get_f64(c.in(0), at) / std::pow(scale, static_cast<double>(attrs.beta)));
    }
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  const Shape& x = n.inputs[0].shape;
  const std::int64_t size = std::min(static_cast<const LrnAttrs&>(*n.attrs).size, x[1]);
  return work_of({2, size + 4, x.elements()});
}

constexpr Port kInputs[] = {{"X", kSpatial}};
constexpr Port kOutputs[] = {{"Y", kSpatial}};

}  // namespace

extern constinit const OpDef op_lrn{
    .name = "LRN",
    .doc =
        "X / (bias + alpha / size * sum of squares)^beta, the sum over a window of `size` channels "
        "around the element's own.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LrnAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
