#include <cmath>

#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) { return std::fabs(x); }

std::int64_t with_sign(std::int64_t x, std::int64_t) {
  return x < 0 ? static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x)) : x;
}

std::uint64_t without_sign(std::uint64_t x, std::uint64_t) { return x; }

}  // namespace

extern constinit const OpDef op_abs{
    .name = "Abs",
    .doc = "Absolute value.",
    .since = 13,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_unary<kNumericTypes>,
    .reference = map_unary<scalar, with_sign, without_sign>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
