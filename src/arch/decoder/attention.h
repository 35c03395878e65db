#pragma once
#include <cstdint>

#include "arch/common_builder.h"
#include "arch/decoder/inputs.h"
#include "arch/decoder/rope.h"
#include "arch/decoder/spec.h"

namespace polaris {

/// The rope of layers that see all, and of those with a window.
struct DecoderRopes {
  RopeTables whole;
  RopeTables window;
};
DecoderRopes decoder_ropes(ArchBuilder& b, const DecoderSpec& spec);

/// Grouped heads over the layer's cache group, whose states it adds: q, k and v with biases where
/// the file has them, norms of heads where the spec has them, turned, written, read, projected
/// back.
ValueId attention(ArchBuilder& b, const DecoderSpec& spec, DecoderInputs& in,
                  const DecoderRopes& ropes, std::int64_t layer, ValueId x);

}  // namespace polaris
