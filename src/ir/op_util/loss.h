#pragma once
#include <functional>

#include "ir/op_attrs/loss.h"
#include "ir/op_def.h"

/// Losses of classes: inputs are scores [N, C, ...], a class for each place [N, ...] and optional
/// weights [C].
namespace polaris {

/// Checks the operands and sets output 0.
Status infer_loss(InferContext& c);
/// Output 0 of minus log_prob(i), i counting the scores' elements, weighted and reduced.
Status put_loss(RefContext& c, const std::function<double(std::int64_t)>& log_prob);

}  // namespace polaris
