#pragma once
#include <string>

#include "arch/common_builder.h"
#include "arch/decoder/inputs.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// Rows of the table `name`.weight, [rows, width], as f32.
ValueId embedded(ArchBuilder& b, const std::string& name, const Shape& shape, ValueId rows);

/// What the first layer gets of the tokens: their rows, scaled, and those of their positions where
/// these are not turned.
ValueId embed(ArchBuilder& b, const DecoderSpec& spec, const DecoderInputs& in);

/// x times a number.
ValueId multiplied(ArchBuilder& b, const std::string& name, ValueId x, float factor);

}  // namespace polaris
