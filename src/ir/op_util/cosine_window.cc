#include "ir/op_util/cosine_window.h"

#include <cmath>
#include <numbers>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"
#include "ir/op_util/known_count.h"

namespace polaris {

Status infer_cosine_window(InferContext& c) {
  const DType dtype = c.as<CosineWindowAttrs>().output_datatype;
  if (!contains(kNumericTypes, dtype)) {
    return c.fail("output_datatype, got " + std::string(dtype_name(dtype)) + ", wanted a number");
  }
  const auto size = known_count(c, 0, "size", 0);
  if (!size) return size.error();
  set_output(c, 0, dtype, Shape{size->dim()});
  return Status::success();
}

Status cosine_window(RefContext& c, double a0, double a1, double a2) {
  const std::int64_t size = c.out(0).type.shape[0];
  const auto period = static_cast<double>(c.as<CosineWindowAttrs>().periodic ? size : size - 1);
  for (std::int64_t i = 0; i < size; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / period;
    put_f64(c.out(0), i, a2 * std::cos(2 * angle) - a1 * std::cos(angle) + a0);
  }
  return Status::success();
}

}  // namespace polaris
