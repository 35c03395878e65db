#pragma once
#include <cstdint>
#include <string>

#include "arch/common_builder.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// The decoder's norm of the last dim, `size` elements: weights `name`.weight, and `name`.bias of a
/// layer norm where the file has one.
ValueId norm(ArchBuilder& b, const DecoderSpec& spec, const std::string& name, ValueId x,
             std::int64_t size);

}  // namespace polaris
