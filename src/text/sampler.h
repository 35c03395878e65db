#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "text/vocabulary.h"

namespace polaris {

struct SamplerOptions {
  float temperature = 0.8f;  // 0: greedy, the lowest id of equals
  std::int32_t top_k = 40;   // 0: all
  float top_p = 0.95f;       // 1: all. Holtzman et al. 2019, nucleus sampling
  float min_p = 0.05f;       // 0: all; relative to the most likely token
  std::uint64_t seed = 0;
};

/// Picks tokens from logits. The same seed and logits give the same tokens on every platform. One
/// per sequence; not thread-safe.
class Sampler {
 public:
  explicit Sampler(const SamplerOptions& options);
  /// `logits` f32[vocabulary], not empty; NaN counts as minus infinity.
  TokenId sample(std::span<const float> logits);

 private:
  double uniform();  // in [0, 1)
  SamplerOptions options_;
  std::uint64_t state_;
  struct Candidate {
    TokenId id;
    float logit;
    double weight;
  };
  std::vector<Candidate> candidates_;  // kept, so that a steady sequence allocates nothing
};

/// Index of the largest logit, the lowest of equals.
TokenId argmax(std::span<const float> logits);

}  // namespace polaris
