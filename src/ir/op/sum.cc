#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double a, double b) { return a + b; }

}  // namespace

extern constinit const OpDef op_sum{
    .name = "Sum",
    .doc = "Sum of all inputs.",
    .since = 13,
    .inputs = kVariadicInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_broadcast<kFloatTypes>,
    .reference = fold_variadic<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
