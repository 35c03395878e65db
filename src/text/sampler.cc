#include "text/sampler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "text/counter_random.h"

namespace polaris {

TokenId argmax(std::span<const float> logits, const grammar::TokenMask* mask) {
  std::size_t best = logits.size();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (mask != nullptr && !mask->has(static_cast<TokenId>(i))) continue;
    const bool better = best == logits.size() || logits[i] > logits[best] ||
                        (std::isnan(logits[best]) && !std::isnan(logits[i]));
    if (better) best = i;
  }
  return best == logits.size() ? 0 : static_cast<TokenId>(best);
}

Sampler::Sampler(SamplerOptions options)
    : options_(std::move(options)),
      penalizes_(options_.repetition_penalty != 1 || options_.frequency_penalty != 0 ||
                 options_.presence_penalty != 0),
      mirostat_(options_.mirostat, static_cast<double>(options_.mirostat_tau),
                static_cast<double>(options_.mirostat_eta)) {}

/// Each candidate stands at the place of its id.
void Sampler::penalize(std::span<const TokenId> text) {
  const auto most = static_cast<std::size_t>(options_.penalty_window);
  if (most > 0 && text.size() > most) text = text.last(most);
  window_.assign(text.begin(), text.end());
  std::sort(window_.begin(), window_.end());
  const auto repetition = static_cast<double>(options_.repetition_penalty);
  for (std::size_t begin = 0; begin < window_.size();) {
    std::size_t end = begin;
    while (end < window_.size() && window_[end] == window_[begin]) ++end;
    const TokenId id = window_[begin];
    if (id >= 0 && static_cast<std::size_t>(id) < candidates_.size()) {
      double& logit = candidates_[static_cast<std::size_t>(id)].logit;
      logit = logit > 0 ? logit / repetition : logit * repetition;
      logit -= static_cast<double>(end - begin) * static_cast<double>(options_.frequency_penalty);
      logit -= static_cast<double>(options_.presence_penalty);
    }
    begin = end;
  }
}

TokenId Sampler::sample(std::span<const float> logits, std::span<const TokenId> text,
                        std::int64_t before, const grammar::TokenMask* mask) {
  const bool greedy = options_.temperature <= 0;
  if (greedy && !penalizes_ && options_.logit_bias.empty()) return argmax(logits, mask);
  candidates_.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    candidates_.push_back({static_cast<TokenId>(i), static_cast<double>(logits[i]), 0});
  }
  for (const LogitBias& entry : options_.logit_bias) {
    const auto at = static_cast<std::size_t>(entry.id);
    if (at < candidates_.size()) candidates_[at].logit += static_cast<double>(entry.bias);
  }
  if (penalizes_) penalize(text);
  std::erase_if(candidates_, [&](const Candidate& c) {
    return std::isnan(c.logit) || (mask != nullptr && !mask->has(c.id));
  });
  if (candidates_.empty()) return argmax(logits, mask);
  const bool filters = !greedy && options_.mirostat == 0;
  sort_likeliest(candidates_, greedy ? 1 : filters ? static_cast<std::size_t>(options_.top_k) : 0);
  if (greedy) return candidates_.front().id;
  if (filters) {
    keep_typical(candidates_, static_cast<double>(options_.typical_p));
    keep_top_p(candidates_, static_cast<double>(options_.top_p));
    keep_min_p(candidates_, static_cast<double>(options_.min_p));
  }
  const double total = weigh(candidates_, static_cast<double>(options_.temperature));
  if (!filters) mirostat_.keep(candidates_, total, logits.size());
  const auto position =
      static_cast<std::uint32_t>(static_cast<std::uint64_t>(before) + text.size());
  const Candidate& picked =
      pick(candidates_, uniform_at({options_.seed, options_.sequence, position, 0}));
  if (!filters) mirostat_.learn(candidates_, picked);
  return picked.id;
}

}  // namespace polaris
