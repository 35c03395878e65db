#include <cmath>

#include "ir/op_util/elements.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double a, double b) { return std::pow(a, b); }

/// Of integers: what 1 / base^-exponent truncates to; 0 has no inverse, and gives 0.
std::int64_t inverse_power(std::int64_t base, std::int64_t exponent, bool base_signed) {
  if (base == 1) return 1;
  if (base == -1 && base_signed) return (exponent & 1) != 0 ? -1 : 1;
  return 0;
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  std::uint64_t out = 1;
  std::uint64_t square = static_cast<std::uint64_t>(base);
  for (auto e = static_cast<std::uint64_t>(exponent); e != 0; e >>= 1) {
    if ((e & 1) != 0) out *= square;
    square *= square;
  }
  return static_cast<std::int64_t>(out);
}

Status infer(InferContext& c) {
  if (auto s = all_of(check_dtype(c, 0, kNumericTypes), check_dtype(c, 1, kNumericTypes)); !s) {
    return s;
  }
  auto shape = broadcast_inputs(c, 2);
  if (!shape) return shape.error();
  set_output(c, 0, c.in(0).dtype, *shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const DType exponent = c.in(1).type.dtype;
  const bool integers = !is_float(c.in(0).type.dtype) && !is_float(exponent);
  const bool base_signed = is_signed_integer(c.in(0).type.dtype);
  Walk walk(c.out(0).type.shape);
  const int a = walk.add_broadcast(c.in(0).type.shape);
  const int b = walk.add_broadcast(c.in(1).type.shape);
  for (std::int64_t i = 0, n = walk.size(); i < n; ++i, walk.next()) {
    if (integers) {
      const std::int64_t x = get_i64(c.in(0), walk[a]);
      const std::int64_t e = get_i64(c.in(1), walk[b]);
      const bool inverse = e < 0 && exponent != DType::kU64;
      put_i64(c.out(0), i, inverse ? inverse_power(x, e, base_signed) : integer_power(x, e));
    } else {
      put_f64(c.out(0), i, std::pow(get_f64(c.in(0), walk[a]), get_f64(c.in(1), walk[b])));
    }
  }
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}, {"Y"}};
constexpr Port kOutputs[] = {{"Z"}};

}  // namespace

extern constinit const OpDef op_pow{
    .name = "Pow",
    .doc =
        "X to the power Y, in the type of X. Integers wrap, and a negative exponent of theirs "
        "gives "
        "the inverse truncated: 1, -1 or 0 (also of 0); with a float exponent an integer power "
        "truncates and saturates.",
    .since = 15,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
