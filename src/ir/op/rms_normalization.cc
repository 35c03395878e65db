#include <cmath>

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_dtype(c, 1, kFloatTypes),
                      check_rank(c, 0, 1));
      !s) {
    return s;
  }
  const Shape& x = c.in(0).shape;
  if (auto axis = check_axis(c, c.as<RmsNormAttrs>().axis, x.rank()); !axis) return axis.error();
  const auto both = broadcast_shapes(x, c.in(1).shape);
  if (!both || both->rank() != x.rank()) {
    return c.fail("scale shape, got " + c.in(1).shape.to_string() +
                  ", wanted one that broadcasts to " + x.to_string());
  }
  set_output(c, 0, c.in(1).dtype, x);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<RmsNormAttrs>();
  const Shape& shape = c.in(0).type.shape;
  const int axis = *normalize_axis(attrs.axis, shape.rank());
  const std::int64_t inner = shape.elements_between(axis, shape.rank());
  const std::vector<double> x = read_f64(c.in(0));
  Walk walk(shape);
  const int scale = walk.add_broadcast(c.in(1).type.shape);
  double inverse = 0;
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    if (i % inner == 0) {
      double sum = 0;
      for (std::int64_t j = i; j < i + inner; ++j) {
        sum += x[static_cast<std::size_t>(j)] * x[static_cast<std::size_t>(j)];
      }
      inverse =
          1.0 / std::sqrt(sum / static_cast<double>(inner) + static_cast<double>(attrs.epsilon));
    }
    put_f64(c.out(0), i, x[static_cast<std::size_t>(i)] * inverse * get_f64(c.in(1), walk[scale]));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return 4 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"X"}, {"scale"}};
constexpr Port kOutputs[] = {{"Y"}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_rms_normalization{
    .name = "RMSNormalization",
    .doc = "X / sqrt(mean(X^2) + epsilon) * scale over the axes from `axis` on.",
    .since = 23,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<RmsNormAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
    .flops = flops,
};

}  // namespace polaris
