#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

/// lambd: half the width of the band that becomes 0; bias: what the rest moves towards it by.
struct ShrinkAttrs final : AttrsOf<ShrinkAttrs> {
  float lambd = 0.5f;
  float bias = 0.0f;

  void visit(AttrVisitor& v) override {
    v.field("lambd", lambd);
    v.field("bias", bias);
  }
};

double scalar(const Attrs& attrs, double x, double) {
  const auto& a = static_cast<const ShrinkAttrs&>(attrs);
  const double lambd = static_cast<double>(a.lambd);
  const double bias = static_cast<double>(a.bias);
  return x < -lambd ? x + bias : x > lambd ? x - bias : 0;
}

constexpr AttrNumber kNumbers[] = {attr_number<&ShrinkAttrs::lambd>,
                                   attr_number<&ShrinkAttrs::bias>};

}  // namespace

extern constinit const OpDef op_shrink{
    .name = "Shrink",
    .doc = "x < -lambd ? x + bias : x > lambd ? x - bias : 0.",
    .since = 9,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<ShrinkAttrs>,
    .infer = infer_unary<kFloatTypes>,
    .reference = map_unary<scalar>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
    .numbers = kNumbers,
};

}  // namespace polaris
