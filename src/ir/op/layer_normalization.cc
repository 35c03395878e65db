#include <cmath>

#include "ir/op_attrs/normalization.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_dtype(c, 1, kFloatTypes),
                      check_dtype(c, 2, kFloatTypes), check_rank(c, 0, 1));
      !s) {
    return s;
  }
  const Shape& x = c.in(0).shape;
  auto axis = check_axis(c, c.as<LayerNormAttrs>().axis, x.rank());
  if (!axis) return axis.error();
  for (int i : {1, 2}) {
    if (!c.has(i)) continue;
    const auto both = broadcast_shapes(x, c.in(i).shape);
    if (!both || both->rank() != x.rank()) {
      return c.fail("scale or bias shape, got " + c.in(i).shape.to_string() +
                    ", wanted one that broadcasts to " + x.to_string());
    }
  }
  set_output(c, 0, c.in(0).dtype, x);
  Shape reduced = x;
  for (int i = *axis; i < x.rank(); ++i) reduced[i] = 1;
  set_output(c, 1, DType::kF32, reduced);
  set_output(c, 2, DType::kF32, reduced);
  return Status::success();
}

struct Moments {
  double mean = 0;
  double inverse_deviation = 0;
};

Moments moments(std::span<const double> x, double epsilon) {
  Moments m;
  for (double v : x) m.mean += v;
  m.mean /= static_cast<double>(x.size());
  double variance = 0;
  for (double v : x) variance += (v - m.mean) * (v - m.mean);
  m.inverse_deviation = 1.0 / std::sqrt(variance / static_cast<double>(x.size()) + epsilon);
  return m;
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<LayerNormAttrs>();
  const Shape& shape = c.in(0).type.shape;
  const int axis = *normalize_axis(attrs.axis, shape.rank());
  const std::int64_t inner = shape.elements_between(axis, shape.rank());
  const std::vector<double> x = read_f64(c.in(0));
  Walk walk(shape);
  const int scale = walk.add_broadcast(c.in(1).type.shape);
  const int bias = walk.add_broadcast(c.has(2) ? c.in(2).type.shape : Shape{});
  Moments m;
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    const auto at = static_cast<std::size_t>(i);
    if (i % inner == 0) {
      m = moments(std::span(x).subspan(at, static_cast<std::size_t>(inner)),
                  static_cast<double>(attrs.epsilon));
      if (c.outputs.size() > 1 && c.out(1).data) put_f64(c.out(1), i / inner, m.mean);
      if (c.outputs.size() > 2 && c.out(2).data) put_f64(c.out(2), i / inner, m.inverse_deviation);
    }
    const double y = (x[at] - m.mean) * m.inverse_deviation * get_f64(c.in(1), walk[scale]);
    put_f64(c.out(0), i, y + (c.has(2) ? get_f64(c.in(2), walk[bias]) : 0.0));
  }
  return Status::success();
}

std::int64_t flops(const NodeTypes& n) { return 8 * n.outputs[0].shape.elements(); }

constexpr Port kInputs[] = {{"X"}, {"Scale"}, {"B", kOptional}};
constexpr Port kOutputs[] = {{"Y"}, {"Mean", kOptional}, {"InvStdDev", kOptional}};
constexpr InPlace kInPlace[] = {{0, 0}};

}  // namespace

extern constinit const OpDef op_layer_normalization{
    .name = "LayerNormalization",
    .doc = "(X - mean) / sqrt(variance + epsilon) * Scale + B over the axes from `axis` on.",
    .since = 17,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<LayerNormAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlace,
    .flops = flops,
};

}  // namespace polaris
