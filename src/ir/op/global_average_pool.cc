#include "ir/op_util/global_pool.h"

namespace polaris {
namespace {

Status reference(RefContext& c) { return global_pool(c, true); }

}  // namespace

extern constinit const OpDef op_global_average_pool{
    .name = "GlobalAveragePool",
    .doc = "Mean of the elements of each channel over all spatial dims.",
    .since = 22,
    .inputs = kGlobalPoolInputs,
    .outputs = kGlobalPoolOutputs,
    .traits = kFoldable,
    .infer = infer_global_pool,
    .reference = reference,
    .flops = global_pool_flops,
};

}  // namespace polaris
