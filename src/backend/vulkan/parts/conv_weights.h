#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "ir/constant.h"

namespace polaris::vulkan {

struct ConvProblem;

/// Constant weights as conv.comp and conv_depthwise.comp read them: at their own width (float32,
/// 16-bit floats, 8-bit integers), as [group][tile of channels][tap][input channel][tile's
/// channel], depthwise as [tap][channel]. Unsigned bytes are stored less 128.
std::string packed_layout(const ConvProblem& p);
std::int64_t packed_weight_bytes(const ConvProblem& p);
/// `out` has packed_weight_bytes(p) bytes.
void pack_conv_weights(const ConvProblem& p, const Tensor& weight, std::span<std::byte> out);

}  // namespace polaris::vulkan
