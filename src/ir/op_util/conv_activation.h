#pragma once
#include <memory>
#include <string_view>

#include "ir/attrs.h"
#include "ir/op_attrs/conv.h"

namespace polaris {

/// What polaris.FusedConv may apply: elementwise ops of one operand, and Clip between finite
/// limits.
inline constexpr std::string_view kConvActivations[] = {
    "Relu", "Clip", "LeakyRelu", "HardSigmoid", "HardSwish", "Sigmoid", "Swish", "Tanh"};
bool is_conv_activation(std::string_view op);

/// The attributes of the op that `attrs` names, which is no Clip; null: it has none.
std::unique_ptr<Attrs> activation_attrs(const FusedConvAttrs& attrs);
/// Names `op` with its attributes in `attrs`.
void set_activation(FusedConvAttrs& attrs, std::string_view op, const Attrs* of_op);

}  // namespace polaris
