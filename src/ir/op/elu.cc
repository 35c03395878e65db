#include <cmath>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const EluAttrs&>(attrs);
  return x < 0 ? static_cast<double>(a.alpha) * std::expm1(x) : x;
}

constexpr AttrNumber kNumbers[] = {attr_number<&EluAttrs::alpha>};

}  // namespace

extern constinit const OpDef op_elu{
    .name = "Elu",
    .doc = "x < 0 ? alpha * (exp(x) - 1) : x.",
    .since = 22,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<EluAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
    .numbers = kNumbers,
};

}  // namespace polaris
