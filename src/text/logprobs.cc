#include "text/logprobs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace polaris {
namespace {

/// Softmax's denominator, so that large logits lose nothing.
struct Denominator {
  float peak = 0;
  double log_sum = 0;  // of exp(logit - peak)

  explicit Denominator(std::span<const float> logits)
      : peak(*std::max_element(logits.begin(), logits.end())) {
    double sum = 0;
    for (const float logit : logits) sum += static_cast<double>(std::exp(logit - peak));
    log_sum = std::log(sum);
  }
  double logprob(float logit) const { return static_cast<double>(logit - peak) - log_sum; }
};

}  // namespace

double log_probability(std::span<const float> logits, TokenId id) {
  return Denominator(logits).logprob(logits[static_cast<std::size_t>(id)]);
}

std::vector<TokenLogprob> top_logprobs(std::span<const float> logits, std::size_t count) {
  count = std::min(count, logits.size());
  std::vector<TokenId> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto key = [&](TokenId id) {
    const float logit = logits[static_cast<std::size_t>(id)];
    return std::isnan(logit) ? -std::numeric_limits<float>::infinity() : logit;
  };
  std::partial_sort(
      ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(),
      [&](TokenId a, TokenId b) { return key(a) != key(b) ? key(a) > key(b) : a < b; });
  const Denominator softmax(logits);
  std::vector<TokenLogprob> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({ids[i], softmax.logprob(logits[static_cast<std::size_t>(ids[i])])});
  }
  return out;
}

}  // namespace polaris
