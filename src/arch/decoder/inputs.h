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
  std::int64_t page_rows = 1;       // where whole texts are seen at once: rows taken for a page

  /// The group of a layer: with a window, or of the whole context.
  std::size_t group_of(const DecoderSpec& spec, std::int64_t layer) const;
};

/// The function that fills the group "cross" of a spec with source_positions, and its inputs.
inline constexpr const char* kSourceEncoder = "encoder";
inline constexpr std::size_t kSource = 0;       // what is encoded: [positions, ...]
inline constexpr std::size_t kSourceSlots = 1;  // int32[positions]

/// Adds the inputs of the groups that the spec's layers need.
DecoderInputs add_decoder_inputs(ArchBuilder& b, const DecoderSpec& spec);

/// The type of the states of a group whose symbols have the prefix; their pages get one.
TensorType cache_type(ArchBuilder& b, const DecoderSpec& spec, const std::string& prefix);

/// Adds the inputs of texts that are embedded. `causal`: tokens see those before them, where the
/// file does not say; `otherwise`: the same of pooling. With `typed` tokens have types.
DecoderInputs add_embedder_inputs(ArchBuilder& b, const DecoderSpec& spec, bool causal,
                                  Pooling otherwise, bool typed);

}  // namespace polaris
