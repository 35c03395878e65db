#include "ir/op_attrs/reduce.h"
#include "ir/op_util/arg_reduce.h"
#include "ir/op_util/reduce.h"

namespace polaris {
namespace {

Status reference(RefContext& c) { return arg_reduce(c, false); }

}  // namespace

extern constinit const OpDef op_arg_min{
    .name = "ArgMin",
    .doc =
        "Index of the smallest element along an axis, the first or the last of equals; NaN wins.",
    .since = 13,
    .inputs = kArgReduceInputs,
    .outputs = kArgReduceOutputs,
    .traits = kFoldable,
    .make_attrs = make_attrs<ArgReduceAttrs>,
    .infer = infer_arg_reduce,
    .reference = reference,
    .flops = reduce_flops,
};

}  // namespace polaris
