#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace polaris {

struct Model;

/// What becomes of a text's rows, one a token: its embedding.
enum class Pooling : std::uint8_t {
  kMean,   // of all tokens, special ones too
  kFirst,  // that of the first token ("cls")
  kLast,
};
/// "mean", "cls", "last".
std::string_view pooling_name(Pooling pooling);
std::optional<Pooling> pooling_from_name(std::string_view name);

/// Which input of a graph that embeds texts plays which part. Several texts stand one after another
/// on one axis of tokens, without padding between them, and see nothing of each other. It is of the
/// function "main", and keeps nothing from run to run. Inputs are named by their index.
struct EmbedderContract {
  std::size_t tokens = 0;            // int32[tokens]: ids
  std::size_t positions = 0;         // int32[tokens]: in their texts
  std::optional<std::size_t> types;  // int32[tokens]: which of two texts put together; 0 for one
  std::size_t texts = 0;             // int32[tokens]: rows of `rows`; negative: padding
  /// int32[texts, positions]: where on the axis of tokens a text's positions stand.
  std::size_t rows = 0;
  /// int32[tokens]: the last position that a token sees: of a text read both ways that of its last
  /// token. It may be the input of `positions`: then each token sees those before it.
  std::size_t last = 0;
  std::size_t hidden = 0;  // output float32[tokens, width]
  Pooling pooling = Pooling::kMean;
};

/// That the model's function is as its contract says: every input has a part and is int32 of the
/// part's rank, no state is kept. Success where there is no contract. Errors: invalid.
Status check_embedder(const Model& model);

}  // namespace polaris
