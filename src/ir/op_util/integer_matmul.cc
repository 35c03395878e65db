#include "ir/op_util/integer_matmul.h"

#include <algorithm>

namespace polaris {

std::vector<std::uint32_t> centered(const RefTensor& x, const RefTensor* zero_point, bool left) {
  const Shape& shape = x.type.shape;
  Shape zero_shape = zero_point != nullptr ? zero_point->type.shape : Shape{};
  // A vector belongs to the rows of a left operand: as a column it broadcasts along them.
  if (left && zero_shape.rank() == 1 && shape.rank() > 1) zero_shape.push_back(1);
  if (zero_shape.elements() == 1) zero_shape = Shape{};
  std::vector<std::uint32_t> out(static_cast<std::size_t>(shape.elements()));
  Walk walk(shape);
  const int zero = walk.add_broadcast(zero_shape);
  for (std::size_t i = 0; i < out.size(); ++i, walk.next()) {
    const std::int64_t z = zero_point != nullptr ? get_i64(*zero_point, walk[zero]) : 0;
    out[i] = static_cast<std::uint32_t>(get_i64(x, static_cast<std::int64_t>(i)) - z);
  }
  return out;
}

Status check_zero_point(const InferContext& c, int parameter, int matrix, bool left) {
  if (!c.has(parameter)) return Status::success();
  const Shape& p = c.in(parameter).shape;
  const Shape& m = c.in(matrix).shape;
  const bool single = std::all_of(p.begin(), p.end(), [](std::int64_t d) { return d == 1; });
  if (single) return Status::success();
  const int along = m.rank() - (left ? 2 : 1);
  if (along < 0) return c.fail("parameter of a vector, got " + p.to_string() + ", wanted one");
  if (p.rank() == 1) return check_dims(c, "size of a scale or zero point", p[0], m[along]);
  if (p.rank() != m.rank()) {
    return c.fail("scale or zero point shape, got " + p.to_string() + " for " + m.to_string());
  }
  for (int i = 0; i < p.rank(); ++i) {
    const bool reduced = i == m.rank() - (left ? 1 : 2);
    const std::int64_t wanted = reduced ? 1 : m[i];
    if (auto s = check_dims(c, "dim of a scale or zero point", p[i], wanted); !s) return s;
  }
  return Status::success();
}

}  // namespace polaris
