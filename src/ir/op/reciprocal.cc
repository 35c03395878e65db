#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) { return 1.0 / x; }

}  // namespace

extern constinit const OpDef op_reciprocal{
    .name = "Reciprocal",
    .doc = "1 / x.",
    .since = 13,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
