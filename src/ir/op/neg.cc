#include <cmath>

#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) { return -x; }

std::int64_t with_sign(std::int64_t x, std::int64_t) {
  return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x));
}

}  // namespace

extern constinit const OpDef op_neg{
    .name = "Neg",
    .doc = "Negation.",
    .since = 13,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_unary<kSignedNumericTypes>,
    .reference = map_unary<scalar, with_sign>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
