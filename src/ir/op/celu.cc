#include <cmath>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const CeluAttrs&>(attrs);
  const double alpha = static_cast<double>(a.alpha);
  // Where x > 0 the second term of the sum is 0, elsewhere the first.
  return x > 0 ? x : alpha * std::expm1(x / alpha);
}

constexpr AttrNumber kNumbers[] = {attr_number<&CeluAttrs::alpha>};

}  // namespace

extern constinit const OpDef op_celu{
    .name = "Celu",
    .doc = "max(0, x) + min(0, alpha * (exp(x / alpha) - 1)).",
    .since = 12,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<CeluAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
    .numbers = kNumbers,
};

}  // namespace polaris
