#include <cmath>

#include "ir/op_util/elementwise.h"
#include "ir/op_util/extremum.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) {
  return x * std::tanh(larger(x, 0.0) + std::log1p(std::exp(-std::fabs(x))));
}

}  // namespace

extern constinit const OpDef op_mish{
    .name = "Mish",
    .doc = "x * tanh(softplus(x)).",
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
