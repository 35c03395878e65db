#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

std::uint64_t without_sign(std::uint64_t a, std::uint64_t b) { return a | b; }

}  // namespace

extern constinit const OpDef op_bitwise_or{
    .name = "BitwiseOr",
    .doc = "Bits set in either.",
    .since = 18,
    .inputs = kBinaryInputs,
    .outputs = kBinaryOutputs,
    .traits = kElementwise | kFoldable | kCommutative,
    .infer = infer_broadcast<kIntegerTypes>,
    .reference = map_binary<nullptr, nullptr, without_sign>,
    .inplace = kInPlaceBinary,
};

}  // namespace polaris
