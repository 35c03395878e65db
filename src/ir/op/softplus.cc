#include <cmath>

#include "ir/op_util/elementwise.h"
#include "ir/op_util/extremum.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) {
  // Written so that exp does not overflow.
  return larger(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

}  // namespace

extern constinit const OpDef op_softplus{
    .name = "Softplus",
    .doc = "log(exp(x) + 1).",
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
