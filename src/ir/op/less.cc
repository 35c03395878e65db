#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

constexpr PredicateFns kFns{[](double a, double b) { return a < b; },
                            [](std::int64_t a, std::int64_t b) { return a < b; },
                            [](std::uint64_t a, std::uint64_t b) { return a < b; }};

}  // namespace

extern constinit const OpDef op_less{
    .name = "Less",
    .doc = "A < B.",
    .since = 13,
    .inputs = kBinaryInputs,
    .outputs = kBinaryOutputs,
    .traits = kElementwise | kFoldable,
    .size_rule = SizeRule::kCompare,
    .infer = infer_predicate<kNumericTypes>,
    .reference = map_predicate<kFns>,
};

}  // namespace polaris
