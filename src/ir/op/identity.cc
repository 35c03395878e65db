#include "ir/op_util/elementwise.h"
#include "ir/op_util/view.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) { return x; }

}  // namespace

extern constinit const OpDef op_identity{
    .name = "Identity",
    .doc = "The input itself.",
    .since = 21,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable | kPicksElements,
    .size_rule = SizeRule::kMove,
    .moved = 0b1,
    .infer = infer_unary<kAnyTypes>,
    .reference = copy_reference,
    .inplace = kInPlaceUnary,
    .view = view_all,
    .scalar = scalar,
};

}  // namespace polaris
