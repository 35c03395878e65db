#include <cmath>

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/reduce.h"

namespace polaris {
namespace {

constexpr ReduceFns kFns{
    .step = [](double sum, double x) { return sum + x; },
    .finish = [](double sum, std::int64_t) { return std::log(sum); },
};

}  // namespace

extern constinit const OpDef op_reduce_log_sum{
    .name = "ReduceLogSum",
    .doc = "Logarithm of the sum over axes.",
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
