#include "ir/op_attrs/reduce.h"
#include "ir/op_util/reduce.h"

namespace polaris {
namespace {

constexpr ReduceFns kFns{
    .step = [](double sum, double x) { return sum + x; },
    .int_init = [](DType) { return std::int64_t{0}; },
    .int_step =
        [](bool, std::int64_t sum, std::int64_t x) {
          return static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                           static_cast<std::uint64_t>(x));
        },
};

}  // namespace

extern constinit const OpDef op_reduce_sum{
    .name = "ReduceSum",
    .doc = "Sum over axes.",
    .since = 13,
    .inputs = kReduceInputs,
    .outputs = kReduceOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ReduceAttrs>,
    .infer = infer_reduce<kNumericTypes>,
    .reference = reduce<kFns>,
    .flops = reduce_flops,
};

}  // namespace polaris
