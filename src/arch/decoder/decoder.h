#pragma once
#include "arch/architecture.h"
#include "arch/common_builder.h"
#include "arch/decoder/attention.h"
#include "arch/decoder/inputs.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// A layer of one, the residual stream x [tokens, width] behind it.
ValueId add_decoder_layer(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in,
                          const DecoderRopes& ropes, std::int64_t layer, ValueId x);

/// A decoder of such layers over a ragged token axis, its contract and what it was built with; or,
/// where the options say so, what embeds texts by its layers. Errors: what the builder kept.
Result<ArchModel> build_decoder(ArchBuilder& b, const DecoderSpec& spec);

/// The graph, whose outputs are marked, with its contract. Errors: what the builder kept.
Result<ArchModel> finish_model(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in);

}  // namespace polaris
