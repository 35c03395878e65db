#include <cmath>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"
#include "ir/op_util/extremum.h"

namespace polaris {
namespace {

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const HardSigmoidAttrs&>(attrs);
  const double y = static_cast<double>(a.alpha) * x + static_cast<double>(a.beta);
  return larger(0.0, smaller(1.0, y));
}

constexpr AttrNumber kNumbers[] = {attr_number<&HardSigmoidAttrs::alpha>,
                                   attr_number<&HardSigmoidAttrs::beta>};

}  // namespace

extern constinit const OpDef op_hard_sigmoid{
    .name = "HardSigmoid",
    .doc = "clamp(alpha * x + beta, 0, 1).",
    .since = 22,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<HardSigmoidAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
    .numbers = kNumbers,
};

}  // namespace polaris
