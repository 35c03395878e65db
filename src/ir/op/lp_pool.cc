#include <cmath>

#include "ir/op_util/conv_geometry.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/work.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const auto& attrs = c.as<LpPoolAttrs>();
  if (auto s = check_dtype(c, 0, kFloatTypes); !s) return s;
  if (attrs.p < 1) return c.fail("p, got " + std::to_string(attrs.p) + ", wanted 1 or more");
  const auto g = pool_geometry(c.in(0).shape, attrs.window);
  if (!g) return c.fail(g.error().message());
  set_output(c, 0, c.in(0).dtype, g->output(c.in(0).shape[1]));
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<LpPoolAttrs>();
  const auto g = pool_geometry(c.in(0).type.shape, attrs.window);
  if (!g) return c.fail(g.error().message());
  const auto p = static_cast<double>(attrs.p);
  const std::int64_t positions = g->out_size();
  for (std::int64_t i = 0; i < g->batch * g->groups * positions; ++i) {
    const std::int64_t base = i / positions * g->in_size();
    double sum = 0;
    each_tap(*g, i % positions, [&](std::int64_t, std::int64_t at) {
      sum += std::pow(std::fabs(get_f64(c.in(0), base + at)), p);
    });
    put_f64(c.out(0), i, std::pow(sum, 1 / p));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) {
  std::int64_t out = work_of({2, n.outputs[0].shape.elements()});
  for (std::int64_t k : static_cast<const LpPoolAttrs&>(*n.attrs).window.kernel_shape) {
    out = work_of({out, k});
  }
  return out;
}

constexpr Port kInputs[] = {{"X", kSpatial}};
constexpr Port kOutputs[] = {{"Y", kSpatial}};

}  // namespace

extern constinit const OpDef op_lp_pool{
    .name = "LpPool",
    .doc = "p-norm of each window over 1 to 3 spatial dims.",
    .since = 22,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LpPoolAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = flops,
};

}  // namespace polaris
