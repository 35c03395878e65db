#pragma once
#include "arch/architecture.h"
#include "arch/common_builder.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// BERT's kind of encoder: layers of the parts of decoders, but that a norm stands behind each sum
/// and tokens see the whole text. Errors: what the builder kept.
Result<ArchModel> build_encoder(ArchBuilder& b, const DecoderSpec& spec);

}  // namespace polaris
