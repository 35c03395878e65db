#include "ir/op_attrs/reduce.h"
#include "ir/op_util/cumulate.h"

namespace polaris {
namespace {

Status reference(RefContext& c) { return cumulate(c, false); }

}  // namespace

extern constinit const OpDef op_cum_sum{
    .name = "CumSum",
    .doc = "Running sums along an axis, with or without the element itself, from either end.",
    .since = 14,
    .inputs = kCumulateInputs,
    .outputs = kCumulateOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<CumSumAttrs>,
    .infer = infer_cumulate,
    .reference = reference,
    .inplace = kCumulateInPlace,
};

}  // namespace polaris
