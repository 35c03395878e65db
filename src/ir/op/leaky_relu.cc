#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const LeakyReluAttrs&>(attrs);
  return x < 0 ? static_cast<double>(a.alpha) * x : x;
}

constexpr AttrNumber kNumbers[] = {attr_number<&LeakyReluAttrs::alpha>};

}  // namespace

extern constinit const OpDef op_leaky_relu{
    .name = "LeakyRelu",
    .doc = "x < 0 ? alpha * x : x.",
    .since = 16,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<LeakyReluAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
    .numbers = kNumbers,
};

}  // namespace polaris
