#pragma once
#include <cstdint>

#include "arch/common_builder.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// What a file says of its experts; what there is no part for is refused by name. `feed_forward`:
/// of the experts that a token has, together, where the file does not say it of one; 0: unknown.
ExpertsSpec read_experts(ArchBuilder& b, std::int64_t feed_forward);

/// The feed-forward of a layer whose router chooses experts for each token: those of the largest
/// probabilities, which are divided by their sum and weigh what the experts give. The choice stays
/// on the device.
ValueId expert_feed_forward(ArchBuilder& b, const DecoderSpec& spec, std::int64_t layer, ValueId x);

}  // namespace polaris
