#include <cmath>

#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) { return std::sqrt(x); }

}  // namespace

extern constinit const OpDef op_sqrt{
    .name = "Sqrt",
    .doc = "Square root.",
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
