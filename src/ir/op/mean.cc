#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double a, double b) { return a + b; }

}  // namespace

extern constinit const OpDef op_mean{
    .name = "Mean",
    .doc = "Mean of all inputs.",
    .since = 13,
    .inputs = kVariadicInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_broadcast<kFloatTypes>,
    .reference = fold_variadic<scalar, nullptr, nullptr, true>,
    .inplace = kInPlaceUnary,
};

}  // namespace polaris
