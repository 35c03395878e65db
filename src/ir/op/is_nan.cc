#include <cmath>

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
  for (std::int64_t i = 0, n = c.in(0).type.shape.elements(); i < n; ++i) {
    put_i64(c.out(0), i, std::isnan(get_f64(c.in(0), i)) ? 1 : 0);
  }
  return Status::success();
}

}  // namespace

extern constinit const OpDef op_is_nan{
    .name = "IsNaN",
    .doc = "Whether each element is NaN.",
    .since = 20,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer,
    .reference = reference,
};

}  // namespace polaris
