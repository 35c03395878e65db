#include <cmath>

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/reduce.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

/// What ONNX adds to the deviation.
constexpr double kEpsilon = 1e-9f;

Status infer(InferContext& c) {
  if (auto s = check_dtype(c, 0, kFloatTypes); !s) return s;
  std::uint32_t seen = 0;
  for (std::int64_t axis : c.as<MeanVarianceNormAttrs>().axes) {
    const auto at = check_axis(c, axis, c.in(0).shape.rank());
    if (!at) return at.error();
    if ((seen >> *at & 1u) != 0) {
      return c.fail("axes, got " + std::to_string(axis) + " twice, wanted each once");
    }
    seen |= 1u << *at;
  }
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

/// One group of elements that are normalized together, `base` and its walk's offsets.
void normalize(RefContext& c, const ReduceGeometry& g, std::int64_t base) {
  const auto each = [&](auto visit) {
    Walk walk(g.reduced);
    const int at = walk.add(g.reduced_strides, base);
    for (std::int64_t i = 0; i < g.count; ++i, walk.next()) visit(walk[at]);
  };
  const auto count = static_cast<double>(g.count);
  double mean = 0;
  each([&](std::int64_t at) { mean += get_f64(c.in(0), at); });
  mean /= count;
  double variance = 0;
  each([&](std::int64_t at) {
    const double x = get_f64(c.in(0), at) - mean;
    variance += x * x;
  });
  const double deviation = std::sqrt(variance / count) + kEpsilon;
  each([&](std::int64_t at) { put_f64(c.out(0), at, (get_f64(c.in(0), at) - mean) / deviation); });
}

Status reference(RefContext& c) {
  const auto g = reduce_geometry(c.in(0).type.shape, c.as<MeanVarianceNormAttrs>().axes, false);
  if (!g) return c.fail("axes are out of range");
  if (c.in(0).type.shape.elements() == 0) return Status::success();
  Walk walk(g->kept);
  const int at = walk.add(g->kept_strides);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) normalize(c, *g, walk[at]);
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return work_of({6, n.outputs[0].shape.elements()}); }

constexpr Port kInputs[] = {{"X"}};
constexpr Port kOutputs[] = {{"Y"}};

}  // namespace

extern constinit const OpDef op_mean_variance_normalization{
    .name = "MeanVarianceNormalization",
    .doc = "(X - mean) / (deviation + 1e-9), over the axes together; without axes over all.",
    .since = 13,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<MeanVarianceNormAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
