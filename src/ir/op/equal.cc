#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

constexpr PredicateFns kFns{[](double a, double b) { return a == b; },
                            [](std::int64_t a, std::int64_t b) { return a == b; },
                            [](std::uint64_t a, std::uint64_t b) { return a == b; }};

constexpr Port kInputs[] = {{"A", kStrings}, {"B", kStrings}};

}  // namespace

extern constinit const OpDef op_equal{
    .name = "Equal",
    .doc = "A == B.",
    .since = 19,
    .inputs = kInputs,
    .outputs = kBinaryOutputs,
    .traits = kElementwise | kFoldable,
    .size_rule = SizeRule::kCompare,
    .infer = infer_predicate<kAllTypes | kStringTypes>,
    .reference = map_predicate<kFns>,
};

}  // namespace polaris
