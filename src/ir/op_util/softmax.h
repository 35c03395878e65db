#pragma once
#include <cstdint>
#include <span>

#include "ir/op_def.h"

/// What Softmax, LogSoftmax and Hardmax share.
namespace polaris {

inline constexpr Port kSoftmaxInputs[] = {{"input"}};
inline constexpr Port kSoftmaxOutputs[] = {{"output"}};

Status infer_softmax(InferContext& c);
/// Runs `row` in place over every line along the axis of SoftmaxAttrs.
Status map_axis(RefContext& c, void (*row)(std::span<double>));
std::int64_t softmax_flops(const NodeTypes& n);

}  // namespace polaris
