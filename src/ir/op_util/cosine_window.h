#pragma once
#include "ir/op_attrs/signal.h"
#include "ir/op_def.h"

/// Windows that are a0 - a1 cos(2 pi n / N) + a2 cos(4 pi n / N).
namespace polaris {

inline constexpr Port kWindowInputs[] = {{"size", kHostRead}};
inline constexpr Port kWindowOutputs[] = {{"output"}};

Status infer_cosine_window(InferContext& c);
Status cosine_window(RefContext& c, double a0, double a1, double a2);

}  // namespace polaris
