#include <cmath>

#include "ir/op_attrs/conv.h"
#include "ir/op_util/elements.h"
#include "ir/op_util/global_pool.h"

namespace polaris {
namespace {

Status infer(InferContext& c) {
  const std::int64_t p = c.as<GlobalLpPoolAttrs>().p;
  if (p < 1) return c.fail("p, got " + std::to_string(p) + ", wanted 1 or more");
  return infer_global_pool(c);
}

Status reference(RefContext& c) {
  const Shape& shape = c.in(0).type.shape;
  const auto p = static_cast<double>(c.as<GlobalLpPoolAttrs>().p);
  const std::int64_t size = shape.elements_between(2, shape.rank());
  for (std::int64_t i = 0; i < shape[0] * shape[1]; ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < size; ++k) {
      sum += std::pow(std::fabs(get_f64(c.in(0), i * size + k)), p);
    }
    put_f64(c.out(0), i, std::pow(sum, 1 / p));
  }
  return Status::success();
}

}  // namespace

extern constinit const OpDef op_global_lp_pool{
    .name = "GlobalLpPool",
    .doc = "p-norm of the elements of each channel over all spatial dims.",
    .since = 22,
    .inputs = kGlobalPoolInputs,
    .outputs = kGlobalPoolOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<GlobalLpPoolAttrs>,
    .infer = infer,
    .reference = reference,
    .flops = global_pool_flops,
};

}  // namespace polaris
