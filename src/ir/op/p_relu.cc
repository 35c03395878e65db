#include "ir/op_util/elementwise.h"

namespace polaris {
namespace {

double scalar(const Attrs&, double x, double slope) { return x < 0 ? slope * x : x; }

std::int64_t with_sign(std::int64_t x, std::int64_t slope) {
  if (x >= 0) return x;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(x) *
                                   static_cast<std::uint64_t>(slope));
}

std::uint64_t without_sign(std::uint64_t x, std::uint64_t) { return x; }

Status infer(InferContext& c) {
  if (auto s = infer_broadcast_in(c, kNumericTypes); !s) return s;
  if (c.out(0).shape.rank() != c.in(0).shape.rank()) {
    return c.fail("slope shape, got " + c.in(1).shape.to_string() +
                  ", wanted one that broadcasts to " + c.in(0).shape.to_string());
  }
  for (int i = 0; i < c.in(0).shape.rank(); ++i) {
    if (auto s = check_dims(c, "dim of slope", c.out(0).shape[i], c.in(0).shape[i]); !s) return s;
  }
  c.out(0).shape = c.in(0).shape;
  return Status::success();
}

constexpr Port kInputs[] = {{"X"}, {"slope"}};

}  // namespace

extern constinit const OpDef op_p_relu{
    .name = "PRelu",
    .doc = "x < 0 ? slope * x : x, the slope broadcast to X.",
    .since = 16,
    .inputs = kInputs,
    .outputs = kUnaryOutputs,
    .traits = kElementwise | kFoldable,
    .infer = infer,
    .reference = map_binary<scalar, with_sign, without_sign>,
    .inplace = kInPlaceUnary,
    .scalar = scalar,
};

}  // namespace polaris
