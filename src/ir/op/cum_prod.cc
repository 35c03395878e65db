#include "ir/op_attrs/reduce.h"
#include "ir/op_util/cumulate.h"

namespace polaris {
namespace {

Status reference(RefContext& c) { return cumulate(c, true); }

}  // namespace

extern constinit const OpDef op_cum_prod{
    .name = "CumProd",
    .doc = "Running products along an axis, as CumSum has its sums.",
    .since = 26,
    .inputs = kCumulateInputs,
    .outputs = kCumulateOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<CumSumAttrs>,
    .infer = infer_cumulate,
    .reference = reference,
    .inplace = kCumulateInPlace,
};

}  // namespace polaris
