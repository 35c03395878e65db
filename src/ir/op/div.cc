#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double a, double b) { return a / b; }

std::int64_t with_sign(std::int64_t a, std::int64_t b) {
  if (b == 0) return 0;
  // The one quotient that does not fit wraps.
  return b == -1 ? static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(a)) : a / b;
}

std::uint64_t without_sign(std::uint64_t a, std::uint64_t b) { return b == 0 ? 0 : a / b; }

}  // namespace

extern constinit const OpDef op_div{
    .name = "Div",
    .doc = "A / B; integers truncate toward zero and wrap, and x / 0 is 0.",
    .since = 14,
    .inputs = kBinaryInputs,
    .outputs = kBinaryOutputs,
    .traits = kElementwise | kFoldable,
    .size_rule = SizeRule::kQuotient,
    .infer = infer_broadcast<kNumericTypes>,
    .reference = map_binary<scalar, with_sign, without_sign>,
    .inplace = kInPlaceBinary,
    .scalar = scalar,
};

}  // namespace polaris
