#include "ir/op_util/group_norm.h"

#include <cmath>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {

Status infer_group_norm(InferContext& c, std::int64_t groups) {
  if (auto s = all_of(check_dtype(c, 0, kFloatTypes), check_dtype(c, 1, kFloatTypes),
                      check_dtype(c, 2, kFloatTypes), check_rank(c, 0, 2), check_rank(c, 1, 1, 1),
                      check_rank(c, 2, 1, 1));
      !s) {
    return s;
  }
  const std::int64_t channels = c.in(0).shape[1];
  if (groups <= 0 || (is_static_dim(channels) && channels % groups != 0)) {
    return c.fail("num_groups, got " + std::to_string(groups) + ", wanted a divisor of " +
                  dim_text(channels));
  }
  if (auto s = all_of(check_dims(c, "size of scale", c.in(1).shape[0], channels),
                      check_dims(c, "size of bias", c.in(2).shape[0], channels));
      !s) {
    return s;
  }
  set_output(c, 0, c.in(0).dtype, c.in(0).shape);
  return Status::success();
}

Status group_norm(RefContext& c, std::int64_t groups, double epsilon) {
  const Shape& shape = c.in(0).type.shape;
  const AxisSplit split = split_at(shape, 1);
  const std::int64_t run = split.size / groups * split.inner;
  const std::vector<double> x = read_f64(c.in(0));
  const auto size = static_cast<std::int64_t>(x.size());
  for (std::int64_t start = 0; start < size; start += run) {
    double mean = 0;
    double variance = 0;
    for (std::int64_t i = start; i < start + run; ++i) mean += x[static_cast<std::size_t>(i)];
    mean /= static_cast<double>(run);
    for (std::int64_t i = start; i < start + run; ++i) {
      const double d = x[static_cast<std::size_t>(i)] - mean;
      variance += d * d;
    }
    const double inverse = 1.0 / std::sqrt(variance / static_cast<double>(run) + epsilon);
    for (std::int64_t i = start; i < start + run; ++i) {
      const std::int64_t channel = i / split.inner % split.size;
      put_f64(c.out(0), i,
              (x[static_cast<std::size_t>(i)] - mean) * inverse * get_f64(c.in(1), channel) +
                  get_f64(c.in(2), channel));
    }
  }
  return Status::success();
}

}  // namespace polaris
