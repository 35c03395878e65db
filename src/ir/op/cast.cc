#include "ir/op_util/cast.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  set_output(c, 0, c.as<CastAttrs>().to, c.in(0).shape);
  return Status::success();
}

Status reference(RefContext& c) {
  cast_elements(c.in(0), c.out(0));
  return Status::success();
}

constexpr Port kInputs[] = {{"input"}};
constexpr Port kOutputs[] = {{"output"}};

}  // namespace

extern constinit const OpDef op_cast{
    .name = "Cast",
    .doc =
        "Converts the element type. Float to integer truncates toward zero and saturates, and NaN "
        "gives 0; integers keep their low bits; bool is `not zero` (NaN is true); what a float "
        "type "
        "cannot hold is rounded once, to nearest even.",
    .since = 23,
    .inputs = kInputs,
    .outputs = kOutputs,
    .traits = kElementwise | kFoldable,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .make_attrs = make_attrs<CastAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlaceUnary,
};

}  // namespace polaris
