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

bool Sampler::raises_logits() const {
  return options_.repetition_penalty < 1 || options_.frequency_penalty < 0 ||
         options_.presence_penalty < 0 ||
         std::ranges::any_of(options_.logit_bias,
                             [](const LogitBias& entry) { return entry.bias > 0; });
}

Candidate* Sampler::find(TokenId id) {
  const auto at = std::ranges::lower_bound(candidates_, id, {}, &Candidate::id);
  return at != candidates_.end() && at->id == id ? &*at : nullptr;
}

void Sampler::penalize(std::span<const TokenId> text) {
  const auto most = static_cast<std::size_t>(options_.penalty_window);
  if (most > 0 && text.size() > most) text = text.last(most);
  window_.assign(text.begin(), text.end());
  std::sort(window_.begin(), window_.end());
  const auto repetition = static_cast<double>(options_.repetition_penalty);
  for (std::size_t begin = 0; begin < window_.size();) {
    std::size_t end = begin;
    while (end < window_.size() && window_[end] == window_[begin]) ++end;
    if (Candidate* candidate = find(window_[begin])) {
      double& logit = candidate->logit;
      logit = logit > 0 ? logit / repetition : logit * repetition;
      logit -= static_cast<double>(end - begin) * static_cast<double>(options_.frequency_penalty);
      logit -= static_cast<double>(options_.presence_penalty);
    }
    begin = end;
  }
}

void Sampler::prepare(std::span<const TokenId> text, const grammar::TokenMask* mask) {
  for (const LogitBias& entry : options_.logit_bias) {
    if (Candidate* candidate = find(entry.id)) candidate->logit += static_cast<double>(entry.bias);
  }
  if (penalizes_) penalize(text);
  std::erase_if(candidates_, [&](const Candidate& c) {
    return std::isnan(c.logit) || (mask != nullptr && !mask->has(c.id));
  });
}

void Sampler::filter() {
  keep_typical(candidates_, static_cast<double>(options_.typical_p));
  keep_top_p(candidates_, static_cast<double>(options_.top_p));
  keep_min_p(candidates_, static_cast<double>(options_.min_p));
}

TokenId Sampler::draw(std::span<const TokenId> text, std::int64_t before) {
  const auto position =
      static_cast<std::uint32_t>(static_cast<std::uint64_t>(before) + text.size());
  const Candidate& picked =
      pick(candidates_, uniform_at({options_.seed, options_.sequence, position, 0}));
  if (options_.mirostat != 0) mirostat_.learn(candidates_, picked);
  return picked.id;
}

TokenId Sampler::sample(std::span<const float> logits, std::span<const TokenId> text,
                        std::int64_t before, const grammar::TokenMask* mask) {
  if (greedy() && !changes_logits()) return argmax(logits, mask);
  candidates_.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    candidates_.push_back({static_cast<TokenId>(i), static_cast<double>(logits[i]), 0});
  }
  prepare(text, mask);
  if (candidates_.empty()) return argmax(logits, mask);
  const bool filters = !greedy() && options_.mirostat == 0;
  sort_likeliest(candidates_, greedy()  ? 1
                              : filters ? static_cast<std::size_t>(options_.top_k)
                                        : 0);
  if (greedy()) return candidates_.front().id;
  if (filters) filter();
  const double total = weigh(candidates_, static_cast<double>(options_.temperature));
  if (!filters) mirostat_.keep(candidates_, total, logits.size());
  return draw(text, before);
}

TokenId Sampler::sample_top(const TopLogits& top, std::span<const TokenId> text,
                            std::int64_t before, const grammar::TokenMask* mask) {
  // sample() has NaN below all; a row whose largest is a number has none.
  if (top.logits.empty() || std::isnan(top.logits[0])) return -1;
  if (options_.mirostat != 0 || raises_logits()) return -1;
  candidates_.clear();
  for (std::size_t i = 0; i < top.logits.size(); ++i) {
    const auto id = static_cast<TokenId>(top.ids[i]);
    candidates_.push_back({id, static_cast<double>(top.logits[i]), 0});
  }
  if (changes_logits()) std::ranges::sort(candidates_, {}, &Candidate::id);
  prepare(text, mask);
  if (changes_logits()) sort_likeliest(candidates_, 0);
  // Logits only fell: what is not here was no larger than the least that is, and is not now.
  const auto floor = static_cast<double>(top.logits.back());
  const std::size_t others = top.vocabulary - top.logits.size();
  if (changes_logits() && others > 0) {
    std::erase_if(candidates_, [&](const Candidate& c) { return !(c.logit > floor); });
  }
  if (candidates_.empty()) return -1;
  if (greedy()) return candidates_.front().id;
  const auto most = static_cast<std::size_t>(options_.top_k);
  if (others == 0 || (most > 0 && most <= candidates_.size())) {
    sort_likeliest(candidates_, most);
    filter();
  } else {
    const std::size_t kept = kept_of_all(top.vocabulary - candidates_.size(), floor);
    if (kept == 0) return -1;
    candidates_.resize(kept);
  }
  weigh(candidates_, static_cast<double>(options_.temperature));
  return draw(text, before);
}

std::size_t Sampler::kept_of_all(std::size_t others, double floor) {
  if (options_.typical_p < 1) return 0;
  // Of sums of doubles in whatever order.
  constexpr double kRounding = 1e-6;
  const double first = candidates_.front().logit;
  const auto top_p = static_cast<double>(options_.top_p);
  const auto min_p = static_cast<double>(options_.min_p);
  const double known = weigh(candidates_, 1);
  const double other = floor == first ? 1.0 : std::exp(floor - first);
  const double least = top_p * known * (1 - kRounding);
  const double largest = top_p * (known + static_cast<double>(others) * other) * (1 + kRounding);
  double mass = 0;
  for (std::size_t kept = 0; kept <= candidates_.size(); ++kept) {
    // Whether the filters keep this one behind those before it.
    const double weight = kept < candidates_.size() ? candidates_[kept].weight : other;
    if (kept > 0 && min_p > 0 && weight < min_p) return kept;
    if (kept > 0 && top_p < 1 && mass >= largest) return kept;
    if (kept > 0 && top_p < 1 && mass >= least) return 0;
    mass += weight;
  }
  return 0;
}

}  // namespace polaris
