#include <cmath>

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/reduce.h"

namespace polaris {
namespace {

constexpr ReduceFns kFns{
    .step = [](double sum, double x) { return sum + x * x; },
    .finish = [](double sum, std::int64_t) { return std::sqrt(sum); },
};

}  // namespace

extern constinit const OpDef op_reduce_l2{
    .name = "ReduceL2",
    .doc = "Square root of the sum of squares over axes.",
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
