#pragma once
#include <optional>
#include <string>
#include <vector>

#include "support/generation.h"

namespace polaris::test {

/// A greedy text that llama.cpp wrote, as models/stories/peer_reference.mjs stores it.
struct PeerStory {
  std::string prompt;
  std::string text;             // prompt and what follows
  std::vector<TokenId> ids;     // the new tokens
  std::vector<double> margins;  // largest logit less the second, per new token
  // Only of the main prompt; empty lists of the others.
  std::vector<TokenId> prompt_ids;
  std::vector<std::vector<TokenId>> top_ids;
  std::vector<std::vector<double>> top_logits;
  std::vector<double> log_totals;  // ln of the sum of exp(logit - largest)
};

/// The stories of models/stories/stories-<storage>.llamacpp.json, the main prompt's first.
std::vector<PeerStory> read_peer_stories(const std::string& storage);

/// The peer's logits after the ids 3, 4, 5 ..., of which `prompt` are the prompt: a row of all
/// tokens for each, as tests/data/make_decoders.py writes them.
PeerStory read_peer_rows(const std::string& path, std::size_t prompt);

/// How far logits are from the peer's, forced along its tokens; over the peer's likeliest tokens.
struct PeerError {
  double relative_max = 0;       // largest |difference| / largest |logit| of the text
  double step_relative_max = 0;  // the same with the largest of each step: never smaller
  double kl_mean = 0;            // of the peer's likeliest tokens, the others taken as one
  std::size_t wrong_argmax = 0;  // where the peer's margin exceeds twice the error
  std::size_t steps = 0;
};
PeerError compare_with_peer(const PeerStory& story, const Generated& forced);

/// Generates along `ids` instead of sampling.
Generated generate_forced(Batcher& batcher, const std::vector<TokenId>& prompt,
                          const std::vector<TokenId>& ids);

}  // namespace polaris::test
