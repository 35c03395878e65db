#pragma once
#include "arch/architecture.h"
#include "arch/common_builder.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// A decoder of such layers over a ragged token axis, its contract and what it was built with.
/// Errors: what the builder kept.
Result<ArchModel> build_decoder(ArchBuilder& b, const DecoderSpec& spec);

}  // namespace polaris
