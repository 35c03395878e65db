#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

std::uint64_t without_sign(std::uint64_t x, std::uint64_t) { return ~x; }

}  // namespace

extern constinit const OpDef op_bitwise_not{
    .name = "BitwiseNot",
    .doc = "Every bit flipped.",
    .since = 18,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_unary<kIntegerTypes>,
    .reference = map_unary<nullptr, nullptr, without_sign>,
    .inplace = kInPlaceUnary,
};

}  // namespace polaris
