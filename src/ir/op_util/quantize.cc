#include "ir/op_util/quantize.h"

#include "base/checked.h"

namespace polaris {
namespace {

bool one_element(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](std::int64_t d) { return d == 1; });
}

}  // namespace

ScaleIndex::ScaleIndex(const Shape& x, const Shape& scale, std::int64_t axis, std::int64_t block) {
  if (scale.rank() == 0 || (scale.rank() == 1 && scale[0] == 1 && block == 0)) return;
  const auto at = normalize_axis(axis, x.rank());
  if (!at) return;
  kind_ = block > 0 ? Kind::kBlock : Kind::kAxis;
  size_ = std::max<std::int64_t>(x[*at], 1);
  inner_ = std::max<std::int64_t>(x.elements_between(*at + 1, x.rank()), 1);
  if (block > 0) {
    block_ = block;
    blocks_ = ceil_div(size_, block);
  }
}

Status check_scales(const InferContext& c, int scale, int zero, std::int64_t axis,
                    std::int64_t block) {
  const Shape& x = c.in(0).shape;
  const Shape& s = c.in(scale).shape;
  if (block < 0) return c.fail("block_size, got " + std::to_string(block) + ", wanted 0 or more");
  // One zero point for one scale, whichever of them is a scalar.
  const bool one = s.rank() <= 1 && one_element(s) && block == 0;
  const bool ones =
      c.has(zero) && one && c.in(zero).shape.rank() <= 1 && one_element(c.in(zero).shape);
  if (c.has(zero) && !ones) {
    if (s.rank() != c.in(zero).shape.rank()) {
      return c.fail("zero point shape, got " + c.in(zero).shape.to_string() + ", wanted " +
                    s.to_string());
    }
    for (int i = 0; i < s.rank(); ++i) {
      if (auto st = check_dims(c, "dim of the zero point", c.in(zero).shape[i], s[i]); !st) {
        return st;
      }
    }
  }
  if (one) return Status::success();
  auto at = check_axis(c, axis, x.rank());
  if (!at) return at.error();
  if (block == 0) {
    if (auto st = check_rank(c, scale, 1, 1); !st) return st;
    return check_dims(c, "size of the scale", s[0], x[*at]);
  }
  if (auto st = check_rank(c, scale, x.rank(), x.rank()); !st) return st;
  for (int i = 0; i < x.rank(); ++i) {
    std::int64_t wanted = x[i];
    if (i == *at && is_static_dim(wanted)) wanted = ceil_div(wanted, block);
    if (i == *at && !is_static_dim(wanted)) wanted = kUnknownDim;
    if (auto st = check_dims(c, "dim of the scale", s[i], wanted); !st) return st;
  }
  return Status::success();
}

}  // namespace polaris
