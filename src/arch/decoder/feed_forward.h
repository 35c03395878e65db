#pragma once
#include <cstdint>

#include "arch/common_builder.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// The feed-forward of a layer, of the spec's kind.
ValueId feed_forward(ArchBuilder& b, const DecoderSpec& spec, std::int64_t layer, ValueId x);

}  // namespace polaris
