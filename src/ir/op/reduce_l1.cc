#include <cmath>

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/reduce.h"

namespace polaris {
namespace {

constexpr ReduceFns kFns{
    .step = [](double sum, double x) { return sum + std::fabs(x); },
    .int_init = [](DType) { return std::int64_t{0}; },
    .int_step =
        [](bool with_sign, std::int64_t sum, std::int64_t x) {
          const auto u = static_cast<std::uint64_t>(x);
          return static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                           (with_sign && x < 0 ? 0 - u : u));
        },
};

}  // namespace

extern constinit const OpDef op_reduce_l1{
    .name = "ReduceL1",
    .doc = "Sum of absolute values over axes.",
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
