#include <cmath>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const GeluAttrs&>(attrs);
  if (a.approximate == "tanh") {
    constexpr double kSqrt2OverPi = 0.79788456080286535588;
    return 0.5 * x * (1.0 + std::tanh(kSqrt2OverPi * (x + 0.044715 * x * x * x)));
  }
  constexpr double kSqrtHalf = 0.70710678118654752440;
  return 0.5 * x * (1.0 + std::erf(x * kSqrtHalf));
}

}  // namespace

extern constinit const OpDef op_gelu{
    .name = "Gelu",
    .doc = "x / 2 * (1 + erf(x / sqrt(2))), or its tanh approximation.",
    .since = 20,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<GeluAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
