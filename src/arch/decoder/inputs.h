#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/common_builder.h"
#include "arch/decoder/spec.h"
#include "ir/decoder_contract.h"
#include "ir/embedder_contract.h"

namespace polaris {

/// A cache group under way: its inputs, and the type that the states of its layers have.
struct CacheValues {
  ValueId block_table;
  ValueId slots;
  ValueId positions;  // in the group's rows
  TensorType state;
};

/// The inputs of a decoder and the contract that says which is which; or those of a graph that sees
/// whole texts at once, of which `embedder` is the contract, and which has no caches.
struct DecoderInputs {
  DecoderContract contract;
  std::optional<EmbedderContract> embedder;
  ValueId tokens;
  ValueId positions;
  ValueId sequences;
  ValueId logit_rows;
  ValueId types;
  ValueId rope_positions;           // positions as [1, tokens]
  std::vector<CacheValues> groups;  // as contract.groups

  /// The group of a layer: with a window, or of the whole context.
  std::size_t group_of(const DecoderSpec& spec, std::int64_t layer) const;
};

/// Adds the inputs of the groups that the spec's layers need.
DecoderInputs add_decoder_inputs(ArchBuilder& b, const DecoderSpec& spec);

/// Adds the inputs of texts that are embedded. `causal`: tokens see those before them, where the
/// file does not say; `otherwise`: the same of pooling. With `typed` tokens have types.
DecoderInputs add_embedder_inputs(ArchBuilder& b, const DecoderSpec& spec, bool causal,
                                  Pooling otherwise, bool typed);

}  // namespace polaris
