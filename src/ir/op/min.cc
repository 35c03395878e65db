#include <cmath>

#include "ir/op_util/elementwise.h"
#include "ir/op_util/extremum.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double a, double b) { return smaller(a, b); }

std::int64_t with_sign(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

std::uint64_t without_sign(std::uint64_t a, std::uint64_t b) { return a < b ? a : b; }

}  // namespace

extern constinit const OpDef op_min{
    .name = "Min",
    .doc = "Smallest of all inputs; NaN wins.",
    .since = 13,
    .inputs = kVariadicInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_broadcast<kNumericTypes>,
    .reference = fold_variadic<scalar, with_sign, without_sign>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
