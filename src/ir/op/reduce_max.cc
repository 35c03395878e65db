#include <cmath>

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/extremum.h"
#include "ir/op_util/reduce.h"

namespace polaris {
namespace {

/// The smallest value of an integer type.
std::int64_t low(DType dtype) {
  if (!is_signed_integer(dtype)) return 0;
  return INT64_MIN >> (64 - dtype_info(dtype).bits);
}

constexpr ReduceFns kFns{
    .init = -INFINITY,
    .step = [](double sum, double x) { return larger(sum, x); },
    .int_init = low,
    .int_step =
        [](bool with_sign, std::int64_t sum, std::int64_t x) {
          const bool keep =
              with_sign ? sum > x : static_cast<std::uint64_t>(sum) > static_cast<std::uint64_t>(x);
          return keep ? sum : x;
        },
};

}  // namespace

extern constinit const OpDef op_reduce_max{
    .name = "ReduceMax",
    .doc = "Largest element over axes; NaN wins.",
    .since = 20,
    .inputs = kReduceInputs,
    .outputs = kReduceOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ReduceAttrs>,
    .infer = infer_reduce<kAllTypes>,
    .reference = reduce<kFns>,
    .flops = reduce_flops,
};

}  // namespace polaris
