#include <cmath>

#include "ir/op_util/elementwise.h"
#include "ir/op_util/extremum.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) {
  return x * larger(0.0, smaller(1.0, x / 6.0 + 0.5));
}

}  // namespace

extern constinit const OpDef op_hard_swish{
    .name = "HardSwish",
    .doc = "x * clamp(x / 6 + 0.5, 0, 1).",
    .since = 22,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
