#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

std::uint64_t without_sign(std::uint64_t x, std::uint64_t) { return x == 0 ? 1 : 0; }

}  // namespace

extern constinit const OpDef op_not{
    .name = "Not",
    .doc = "Logical negation.",
    .since = 1,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_unary<kBoolTypes>,
    .reference = map_unary<nullptr, nullptr, without_sign>,
    .inplace = kInPlaceUnary,
};

}  // namespace polaris
