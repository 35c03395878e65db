#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const ThresholdedReluAttrs&>(attrs);
  return x > static_cast<double>(a.alpha) ? x : 0.0;
}

constexpr AttrNumber kNumbers[] = {attr_number<&ThresholdedReluAttrs::alpha>};

}  // namespace

extern constinit const OpDef op_thresholded_relu{
    .name = "ThresholdedRelu",
    .doc = "x > alpha ? x : 0 (also of NaN).",
    .since = 22,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<ThresholdedReluAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
    .numbers = kNumbers,
};

}  // namespace polaris
