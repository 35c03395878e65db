#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace polaris {

struct Model;

/// Paged states that are written and read alike: the keys and values of layers. A sequence has a
/// row of pages in each group. Inputs are named by their index in the function that has them.
struct CacheGroup {
  std::string name;            // "kv", "window", "cross"
  std::int64_t page_size = 0;  // tokens of a page: dim 1 of every state
  /// A token reads so many positions up to its own; 0: all. Pages behind the window are let go, and
  /// a row's first page is the first that is held.
  std::int64_t window = 0;
  /// Holds what the encoder wrote, once, which every token reads whole.
  bool cross = false;
  /// int32[sequences, pages]: the page row of each sequence.
  std::size_t block_table = 0;
  /// int32[tokens]: page * page_size + offset that a token's rows go to, negative for none. An
  /// input of the decoder, or of the encoder where the group is `cross`.
  std::size_t slots = 0;
  /// int32[tokens]: the last position that a token reads, counted from the first of its row. Of a
  /// group that holds all positions it may be the input of `positions`.
  std::size_t positions = 0;
  std::vector<std::string> states;
};

/// The function that fills the `cross` groups before the first step of a sequence.
struct EncoderContract {
  std::string function;
  std::size_t source = 0;  // input [positions, ...]: what is encoded
};

/// Low-rank adapters that were built into the decoder, and how a token says which it has.
struct AdapterInput {
  /// int32[tokens, per_text]: 0 for none, else the number of one, counted from 1 in their order.
  std::size_t input = 0;
  std::int64_t per_text = 1;
  std::vector<std::string> names;
};

/// Which input of a decoder plays which part: all that a caller has to know to run one over a
/// ragged token axis. It is of the function "main". Built where the graph is built; nothing else
/// names a decoder's inputs.
struct DecoderContract {
  std::size_t tokens = 0;      // int32[tokens]: ids
  std::size_t positions = 0;   // int32[tokens]: in their sequences
  std::size_t sequences = 0;   // int32[tokens]: rows of the block tables; negative: padding
  std::size_t logit_rows = 0;  // int32[rows]: tokens whose logits are wanted
  std::size_t logits = 0;      // output [rows, vocabulary]
  std::vector<CacheGroup> groups;
  std::optional<EncoderContract> encoder;
  std::optional<AdapterInput> adapters;

  /// The group of a state, or null.
  const CacheGroup* group_of(std::string_view state) const;
};

/// That the model's functions are as its contract says: every input of the decoder has a part and
/// is int32 of the part's rank, every paged state is of one group, with its page size. Success
/// where there is no contract. Errors: invalid.
Status check_decoder(const Model& model);

}  // namespace polaris
