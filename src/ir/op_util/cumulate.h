#pragma once
#include "ir/op_def.h"

/// What CumSum and CumProd share.
namespace polaris {

inline constexpr Port kCumulateInputs[] = {{"x"}, {"axis", kHostRead}};
inline constexpr Port kCumulateOutputs[] = {{"y"}};
inline constexpr InPlace kCumulateInPlace[] = {{0, 0}};

Status infer_cumulate(InferContext& c);
/// Running sums, or products, along the axis, as CumSumAttrs say.
Status cumulate(RefContext& c, bool product);

}  // namespace polaris
