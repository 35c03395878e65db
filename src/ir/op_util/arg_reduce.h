#pragma once
#include "ir/op_def.h"

/// ArgMax and ArgMin.
namespace polaris {

inline constexpr Port kArgReduceInputs[] = {{"data"}};
inline constexpr Port kArgReduceOutputs[] = {{"reduced"}};

Status infer_arg_reduce(InferContext& c);
Status arg_reduce(RefContext& c, bool largest);

}  // namespace polaris
