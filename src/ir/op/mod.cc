#include <cmath>

#include "ir/op_attrs/elementwise.h"
#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double real_fmod(const Attrs&, double a, double b) { return std::fmod(a, b); }

// Anything % 0 is 0; -1 is apart because the smallest integer % -1 traps.
std::int64_t sign_of_dividend(std::int64_t a, std::int64_t b) {
  return b == 0 || b == -1 ? 0 : a % b;
}

std::int64_t sign_of_divisor(std::int64_t a, std::int64_t b) {
  const std::int64_t r = sign_of_dividend(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

std::uint64_t without_sign(std::uint64_t a, std::uint64_t b) { return b == 0 ? 0 : a % b; }

Status infer(InferContext& c) {
  const DTypeSet allowed = c.as<ModAttrs>().fmod ? kNumericTypes : kIntegerTypes;
  return infer_broadcast_in(c, allowed);
}

Status reference(RefContext& c) {
  return map_binary_with(c, real_fmod, c.as<ModAttrs>().fmod ? sign_of_dividend : sign_of_divisor,
                         without_sign);
}

}  // namespace

extern constinit const OpDef op_mod{
    .name = "Mod",
    .doc =
        "Remainder of A / B with the sign of B, or with fmod that of A; x mod 0 of integers is 0.",
    .since = 13,
    .inputs = kBinaryInputs,
    .outputs = kBinaryOutputs,
    .traits = kElementwise | kFoldable,
    .make_attrs = make_attrs<ModAttrs>,
    .infer = infer,
    .reference = reference,
    .inplace = kInPlaceBinary,
};

}  // namespace polaris
