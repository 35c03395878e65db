#include <cmath>

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/extremum.h"
#include "ir/op_util/reduce.h"

namespace polaris {
namespace {

/// log(exp(a) + exp(b)) without overflow.
double add_exp(double a, double b) {
  const double high = larger(a, b);
  const double low = smaller(a, b);
  if (std::isinf(high)) return high;
  return high + std::log1p(std::exp(low - high));
}

constexpr ReduceFns kFns{
    .init = -INFINITY,
    .step = add_exp,
};

}  // namespace

extern constinit const OpDef op_reduce_log_sum_exp{
    .name = "ReduceLogSumExp",
    .doc = "Logarithm of the sum of exponentials over axes.",
    .since = 18,
    .inputs = kReduceInputs,
    .outputs = kReduceOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ReduceAttrs>,
    .infer = infer_reduce<kNumericTypes>,
    .reference = reduce<kFns>,
    .flops = reduce_flops,
};

}  // namespace polaris
