#include "ir/op_util/global_pool.h"

namespace polaris {
namespace {

Status reference(RefContext& c) { return global_pool(c, false); }

}  // namespace

extern constinit const OpDef op_global_max_pool{
    .name = "GlobalMaxPool",
    .doc = "Largest element of each channel over all spatial dims; NaN wins.",
    .since = 22,
    .inputs = kGlobalPoolInputs,
    .outputs = kGlobalPoolOutputs,
    .traits = kFoldable | kPicksElements,
    .infer = infer_global_pool,
    .reference = reference,
    .flops = global_pool_flops,
};

}  // namespace polaris
