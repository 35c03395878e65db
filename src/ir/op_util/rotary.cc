#include "ir/op_util/rotary.h"

#include <algorithm>
#include <string>

#include "ir/op_util/elements.h"
#include "ir/op_util/infer.h"

namespace polaris {

std::int64_t Rotation::rows() const {
  return cosines.type.shape.elements() / std::max<std::int64_t>(half, 1);
}

Status Rotation::check(const RefContext& c, std::int64_t row) const {
  if (half == 0 || (row >= 0 && row < rows())) return Status::success();
  return c.fail("position, got " + std::to_string(row) + ", wanted 0 to " +
                std::to_string(rows() - 1));
}

void Rotation::turn(const std::vector<double>& x, std::int64_t head, std::int64_t size,
                    std::int64_t row, RefTensor& out) const {
  for (std::int64_t i = 2 * half; i < size; ++i) {
    put_f64(out, head + i, x[static_cast<std::size_t>(head + i)]);
  }
  for (std::int64_t i = 0; i < half; ++i) {
    const std::int64_t at = head + (interleaved ? 2 * i : i);
    const std::int64_t partner = head + (interleaved ? 2 * i + 1 : i + half);
    const double cosine = get_f64(cosines, row * half + i);
    const double sine = get_f64(sines, row * half + i);
    const double a = x[static_cast<std::size_t>(at)];
    const double b = x[static_cast<std::size_t>(partner)];
    put_f64(out, at, a * cosine - b * sine);
    put_f64(out, partner, a * sine + b * cosine);
  }
}

Result<std::int64_t> check_rotated(const InferContext& c, std::int64_t rotated, std::int64_t size) {
  if (rotated <= 0) rotated = size;
  if (is_static_dim(rotated) && (rotated % 2 != 0 || (is_static_dim(size) && rotated > size))) {
    return c.fail("rotated size, got " + std::to_string(rotated) +
                  ", wanted an even number up to the head size " + dim_text(size));
  }
  return is_static_dim(rotated) ? rotated / 2 : kUnknownDim;
}

}  // namespace polaris
