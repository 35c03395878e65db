#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double) { return x > 0 ? 1.0 : (x < 0 ? -1.0 : x); }

std::int64_t with_sign(std::int64_t x, std::int64_t) { return x > 0 ? 1 : (x < 0 ? -1 : 0); }

std::uint64_t without_sign(std::uint64_t x, std::uint64_t) { return x > 0 ? 1 : 0; }

}  // namespace

extern constinit const OpDef op_sign{
    .name = "Sign",
    .doc = "-1, 0 or 1.",
    .since = 13,
    .inputs = kUnaryInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer_unary<kNumericTypes>,
    .reference = map_unary<scalar, with_sign, without_sign>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
