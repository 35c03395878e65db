#include <cmath>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const SeluAttrs&>(attrs);
  return static_cast<double>(a.gamma) * (x > 0 ? x : static_cast<double>(a.alpha) * std::expm1(x));
}

constexpr AttrNumber kNumbers[] = {attr_number<&SeluAttrs::alpha>, attr_number<&SeluAttrs::gamma>};

}  // namespace

extern constinit const OpDef op_selu{
    .name = "Selu",
    .doc = "gamma * (x > 0 ? x : alpha * (exp(x) - 1)).",
    .since = 22,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<SeluAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
    .numbers = kNumbers,
};

}  // namespace polaris
