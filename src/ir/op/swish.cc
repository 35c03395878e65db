#include <cmath>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const SwishAttrs&>(attrs);
  return x / (1.0 + std::exp(-static_cast<double>(a.alpha) * x));
}

constexpr AttrNumber kNumbers[] = {attr_number<&SwishAttrs::alpha>};

}  // namespace

extern constinit const OpDef op_swish{
    .name = "Swish",
    .doc = "x * sigmoid(alpha * x).",
    .since = 24,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<SwishAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
    .numbers = kNumbers,
};

}  // namespace polaris
