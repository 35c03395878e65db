#include "ir/op_util/loss.h"

#include "base/strings.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {

Status infer_loss(InferContext& c) {
  const std::string& reduction = c.as<LossAttrs>().reduction;
  if (reduction != "none" && reduction != "sum" && reduction != "mean") {
    return c.fail("reduction, got '" + printable(reduction) + "', wanted none, sum or mean");
  }
  const Shape& scores = c.in(0).shape;
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_rank(c, 0, 2),
                      check_dtype(c, 1, kIndexTypes),
                      check_rank(c, 1, scores.rank() - 1, scores.rank() - 1),
                      check_same_dtype(c, 0, 2), check_rank(c, 2, 1, 1));
      !s) {
    return s;
  }
  const Shape& labels = c.in(1).shape;
  for (int d = 0; d < labels.rank(); ++d) {
    const std::string what = "dim " + std::to_string(d) + " of the labels";
    if (auto s = check_dims(c, what, labels[d], scores[d == 0 ? 0 : d + 1]); !s) return s;
  }
  if (c.has(2)) {
    if (auto s = check_dims(c, "number of weights", c.in(2).shape[0], scores[1]); !s) return s;
  }
  set_output(c, 0, c.in(0).dtype, reduction == "none" ? labels : Shape{});
  return Status::success();
}

Status put_loss(RefContext& c, const std::function<double(std::int64_t)>& log_prob) {
  const auto& attrs = c.as<LossAttrs>();
  const AxisSplit split = split_at(c.in(0).type.shape, 1);
  double sum = 0;
  double weights = 0;
  for (std::int64_t i = 0; i < split.outer * split.inner; ++i) {
    const std::int64_t label = get_i64(c.in(1), i);
    double loss = 0;
    if (attrs.ignore_index == kNoneIgnored || label != attrs.ignore_index) {
      if (label < 0 || label >= split.size) {
        return c.fail("label, got " + std::to_string(label) + ", wanted 0 to " +
                      std::to_string(split.size - 1));
      }
      const double weight = c.has(2) ? get_f64(c.in(2), label) : 1;
      const std::int64_t at = (i / split.inner * split.size + label) * split.inner;
      loss = -log_prob(at + i % split.inner) * weight;
      sum += loss;
      weights += weight;
    }
    if (attrs.reduction == "none") put_f64(c.out(0), i, loss);
  }
  if (attrs.reduction != "none")
    put_f64(c.out(0), 0, attrs.reduction == "sum" ? sum : sum / weights);
  return Status::success();
}

}  // namespace polaris
