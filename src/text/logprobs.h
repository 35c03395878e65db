#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "text/vocabulary.h"

namespace polaris {

struct TokenLogprob {
  TokenId id = 0;
  double logprob = 0;  // natural logarithm of the token's share of the softmax
};

/// The natural logarithm of what softmax gives `id`, of logits as the model made them. NaN where a
/// logit is NaN.
double log_probability(std::span<const float> logits, TokenId id);
/// The `count` likeliest, likeliest first, the lowest id of equals.
std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, std::size_t count);

}  // namespace polaris
