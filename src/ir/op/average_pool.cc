#include <algorithm>

#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = check_dtype(c, 0, kFloatTypes); !s) return s;
  const auto g = pool_geometry(c.in(0).shape, c.as<PoolAttrs>());
  if (!g) return c.fail(g.error().message());
  set_output(c, 0, c.in(0).dtype, g->output(c.in(0).shape[1]));
  return Status::success();
}

/// Taps of a window that lie inside the padded input.
std::int64_t padded_taps(const ConvGeometry& g, std::int64_t position) {
  std::int64_t count = 1;
  for (int d = kSpatialMax - 1; d >= 0; --d) {
    const WindowDim& w = g.dims[d];
    const std::int64_t start = position % w.out * w.stride - w.pad_begin;
    position /= w.out;
    const std::int64_t room = w.in + w.pad_end - start;  // up to the end of the padding
    count *= std::clamp<std::int64_t>((room + w.dilation - 1) / w.dilation, 0, w.kernel);
  }
  return count;
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<PoolAttrs>();
  const auto g = pool_geometry(c.in(0).type.shape, attrs);
  if (!g) return c.fail(g.error().message());
  const std::int64_t positions = g->out_size();
  for (std::int64_t i = 0; i < g->batch * g->groups * positions; ++i) {
    const std::int64_t base = i / positions * g->in_size();
    double sum = 0;
    std::int64_t count = 0;
    each_tap(*g, i % positions, [&](std::int64_t, std::int64_t at) {
      sum += get_f64(c.in(0), base + at);
      ++count;
    });
    if (attrs.count_include_pad) count = padded_taps(*g, i % positions);
    put_f64(c.out(0), i, sum / static_cast<double>(count));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  std::int64_t taps = 1;
  for (std::int64_t k : static_cast<const PoolAttrs&>(*n.attrs).kernel_shape) taps *= k;
  return n.outputs[0].shape.elements() * taps;
}

constexpr Port kInputs[] = {{"X", kSpatial}};
constexpr Port kOutputs[] = {{"Y", kSpatial}};

}  // namespace

extern constinit const OpDef op_average_pool{
    .name = "AveragePool",
    .doc = "Mean of each window over 1 to 3 spatial dims, the padding counted or not.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<PoolAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
