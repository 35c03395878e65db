#pragma once
#include "ir/op_def.h"

/// Pools over all spatial dims at once.
namespace polaris {

inline constexpr Port kGlobalPoolInputs[] = {{"X", kSpatial}};
inline constexpr Port kGlobalPoolOutputs[] = {{"Y", kSpatial}};

Status infer_global_pool(InferContext& c);
/// The mean, or the largest element, of each [N, C] plane.
Status global_pool(RefContext& c, bool mean);
std::int64_t global_pool_flops(const NodeTypes& n);

}  // namespace polaris
