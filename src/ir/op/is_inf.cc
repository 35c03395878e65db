#include <cmath>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  if (auto s = check_dtype(c, 0, kFloatTypes); !s) return s;
  set_output(c, 0, DType::kBool, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  const auto& attrs = c.as<IsInfAttrs>();
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    const double x = get_f64(c.in(0), i);
    const bool hit = std::isinf(x) && (x > 0 ? attrs.detect_positive : attrs.detect_negative);
    put_i64(c.out(0), i, hit ? 1 : 0);
  }
  return Status::success();
}

constexpr AttrNumber kNumbers[] = {attr_number<&IsInfAttrs::detect_positive>,
                                   attr_number<&IsInfAttrs::detect_negative>};

}  // namespace

extern constinit const OpDef op_is_inf{
    .name = "IsInf",
    .doc = "Whether each element is an infinity of a sign asked for.",
    .since = 20,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<IsInfAttrs>,
    .infer = infer,
    .reference = reference,
    .numbers = kNumbers,
};

}  // namespace polaris
