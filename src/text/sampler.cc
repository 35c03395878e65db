#include "text/sampler.h"

#include <algorithm>
#include <cmath>

namespace polaris {

TokenId argmax(std::span<const float> logits) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < logits.size(); ++i) {
    const bool better =
        logits[i] > logits[best] || (std::isnan(logits[best]) && !std::isnan(logits[i]));
    if (better) best = i;
  }
  return static_cast<TokenId>(best);
}

Sampler::Sampler(const SamplerOptions& options) : options_(options), state_(options.seed) {}

double Sampler::uniform() {
  // SplitMix64 (Steele, Lea and Flood 2014): tiny, and the same everywhere.
  state_ += 0x9E3779B97F4A7C15u;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

TokenId Sampler::sample(std::span<const float> logits) {
  if (options_.temperature <= 0) return argmax(logits);
  candidates_.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!std::isnan(logits[i])) candidates_.push_back({static_cast<TokenId>(i), logits[i], 0});
  }
  if (candidates_.empty()) return argmax(logits);
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  const auto k = static_cast<std::size_t>(std::max(options_.top_k, 0));
  if (k > 0 && k < candidates_.size()) {
    const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(k);
    std::partial_sort(candidates_.begin(), end, candidates_.end(), likelier);
    candidates_.resize(k);
  } else {
    std::sort(candidates_.begin(), candidates_.end(), likelier);
  }
  const double top = candidates_.front().logit;
  double total = 0;
  for (Candidate& c : candidates_) {
    c.weight = c.logit == candidates_.front().logit ? 1.0 : std::exp(c.logit - top);
    total += c.weight;
  }
  // Filters see the untempered distribution, as llama.cpp's default chain orders them.
  std::size_t keep = 0;
  double mass = 0;
  while (keep < candidates_.size()) {
    if (keep > 0 && (mass >= static_cast<double>(options_.top_p) * total ||
                     candidates_[keep].weight < static_cast<double>(options_.min_p))) {
      break;
    }
    mass += candidates_[keep++].weight;
  }
  total = 0;
  for (std::size_t i = 0; i < keep; ++i) {
    Candidate& c = candidates_[i];
    const double scaled = (c.logit - top) / static_cast<double>(options_.temperature);
    c.weight = c.logit == candidates_.front().logit ? 1.0 : std::exp(scaled);
    total += c.weight;
  }
  double target = uniform() * total;
  for (std::size_t i = 0; i + 1 < keep; ++i) {
    target -= candidates_[i].weight;
    if (target < 0) return candidates_[i].id;
  }
  return candidates_[keep - 1].id;
}

}  // namespace polaris
