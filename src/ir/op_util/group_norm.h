#pragma once
#include <cstdint>

#include "ir/op_def.h"

/// Instance and group normalization: moments over runs of channels, scale and bias per channel.
namespace polaris {

Status infer_group_norm(InferContext& c, std::int64_t groups);
Status group_norm(RefContext& c, std::int64_t groups, double epsilon);

}  // namespace polaris
