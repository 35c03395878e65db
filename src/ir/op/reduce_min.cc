#include <cmath>

#include "ir/op_attrs/reduce.h"
#include "ir/op_util/extremum.h"
#include "ir/op_util/reduce.h"

namespace polaris {
namespace {

/// The largest value of an integer type, as stored.
std::int64_t high(DType dtype) {
  if (dtype == DType::kBool) return 1;
  const std::uint64_t ones = ~std::uint64_t{0} >> (64 - dtype_info(dtype).bits);
  return static_cast<std::int64_t>(is_signed_integer(dtype) ? ones >> 1 : ones);
}

constexpr ReduceFns kFns{
    .init = INFINITY,
    .step = [](double sum, double x) { return smaller(sum, x); },
    .int_init = high,
    .int_step =
        [](bool with_sign, std::int64_t sum, std::int64_t x) {
          const bool keep =
              with_sign ? sum < x : static_cast<std::uint64_t>(sum) < static_cast<std::uint64_t>(x);
          return keep ? sum : x;
        },
};

}  // namespace

extern constinit const OpDef op_reduce_min{
    .name = "ReduceMin",
    .doc = "Smallest element over axes; NaN wins.",
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
