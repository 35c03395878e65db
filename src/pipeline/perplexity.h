#pragma once
#include <cstdint>
#include <functional>
#include <string_view>

#include "pipeline/scorer.h"

namespace polaris {

struct PerplexityOptions {
  std::int64_t context = 512;   // ids of a chunk
  std::int64_t chunks_max = 0;  // 0: all that the text has
  RunOptions run;
  /// After each chunk: how many are done, of how many, and the perplexity so far.
  std::function<void(std::int64_t done, std::int64_t all, double so_far)> progress;
};

struct Perplexity {
  double value = 0;
  double standard_error = 0;
  double mean_nll = 0;  // nats a token
  std::int64_t tokens = 0;
  std::int64_t chunks = 0;
};

/// The perplexity of a text as llama.cpp's llama-perplexity defines it: the text's ids are cut into
/// chunks of `context`, of which the last is left out where it is not whole; each chunk is read
/// alone, with BOS in place of its first id where the tokenizer begins texts with one; and the ids
/// of its second half count, but for the half's first. Errors: invalid where the text has no two
/// chunks, and as Scorer::score.
Result<Perplexity> measure_perplexity(Scorer& scorer, std::string_view text,
                                      const PerplexityOptions& options);

}  // namespace polaris
