#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) { return x < 0 ? 0.0 : x; }

std::int64_t with_sign(std::int64_t x, std::int64_t) { return x < 0 ? 0 : x; }

}  // namespace

extern constinit const OpDef op_relu{
    .name = "Relu",
    .doc = "max(0, x).",
    .since = 14,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_unary<kSignedNumericTypes>,
    .reference = map_unary<scalar, with_sign>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
