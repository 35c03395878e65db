#pragma once
#include "arch/common_builder.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// The numbers of a file beside the choices that `spec` brings along. Errors: kept in the builder.
DecoderSpec read_decoder(ArchBuilder& b, DecoderSpec spec);

/// What RoPE's hyperparameters say, beside the pairs that `rope` brings along.
RopeSpec read_rope(ArchBuilder& b, const DecoderSpec& spec, RopeSpec rope);

}  // namespace polaris
