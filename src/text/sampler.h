#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "text/candidates.h"
#include "text/grammar/token_mask.h"
#include "text/mirostat.h"
#include "text/sampler_options.h"

namespace polaris {

/// Picks tokens from logits. What is drawn hangs on seed, sequence and position alone, so a text
/// that goes on elsewhere draws the same numbers; only mirostat keeps something of its own. One per
/// text; not thread-safe.
class Sampler {
 public:
  /// `options` as check_sampler lets them pass.
  explicit Sampler(SamplerOptions options);
  /// `logits` f32[vocabulary], not empty; NaN counts as minus infinity. `text` is all that stands
  /// before the token, which is at position `before` + text.size(): `before` counts what stood
  /// there too and was dropped. Where there is a `mask`, which must not be empty, it is one of its
  /// tokens.
  TokenId sample(std::span<const float> logits, std::span<const TokenId> text,
                 std::int64_t before = 0, const grammar::TokenMask* mask = nullptr);

 private:
  void penalize(std::span<const TokenId> text);
  SamplerOptions options_;
  bool penalizes_;
  Mirostat mirostat_;
  Candidates candidates_;        // kept, so that a steady text allocates nothing
  std::vector<TokenId> window_;  // the same
};

/// Index of the largest logit, the lowest of equals; of those of `mask` where there is one.
TokenId argmax(std::span<const float> logits, const grammar::TokenMask* mask = nullptr);

}  // namespace polaris
