#include "ir/op_util/cosine_window.h"

#include <cmath>
#include <numbers>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {

Result<KnownInt> known_count(const InferContext& c, int i, std::string_view name,
                             std::int64_t low) {
  if (auto s = all_of(check_dtype(c, i, kIndexTypes), check_rank(c, i, 0, 1)); !s) return s.error();
  for (std::int64_t dim : c.in(i).shape) {
    if (auto s = check_dims(c, "size of " + std::string(name), dim, 1); !s) return s.error();
  }
  const auto known = c.known_ints(i);
  const KnownInt out = known && !known->empty() ? known->front() : KnownInt{};
  if (out.is_number() && out.value < low) {
    return c.fail(std::string(name) + ", got " + std::to_string(out.value) + ", wanted " +
                  std::to_string(low) + " or more");
  }
  return out;
}

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
