#pragma once
#include <cstdint>

#include "arch/common_builder.h"
#include "arch/decoder/inputs.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// Heads over what an encoder wrote of its source, of which every token of x sees all.
ValueId cross_attention(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in,
                        std::int64_t layer, ValueId x);

/// The encoder's side: keys and values of its rows [positions, width] for all layers of a decoder
/// of that spec, written to the slots, which are of kSourceSlots.
void write_source(ArchBuilder& b, const DecoderSpec& spec, ValueId rows, ValueId slots);

}  // namespace polaris
