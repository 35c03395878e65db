#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double a, double b) { return a - b; }

std::uint64_t without_sign(std::uint64_t a, std::uint64_t b) { return a - b; }

}  // namespace

extern constinit const OpDef op_sub{
    .name = "Sub",
    .doc = "A - B.",
    .since = 14,
    .inputs = kBinaryInputs,
    .outputs = kBinaryOutputs,
    .traits = kElementwise | kFoldable,
    .size_rule = SizeRule::kDifference,
    .infer = infer_broadcast<kNumericTypes>,
    .reference = map_binary<scalar, nullptr, without_sign>,
    .inplace = kInPlaceBinary,
    .scalar = scalar,
};

}  // namespace polaris
