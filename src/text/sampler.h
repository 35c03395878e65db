#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "text/candidates.h"
#include "text/grammar/token_mask.h"
#include "text/mirostat.h"
#include "text/sampler_options.h"

namespace polaris {

/// The likeliest tokens of a row of logits: largest first, of equals the lowest id, NaN before all.
struct TopLogits {
  std::span<const float> logits;
  std::span<const std::int64_t> ids;  // as many
  std::size_t vocabulary = 0;         // tokens of the whole row
};

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
  /// What sample() picks of the whole row, where its likeliest are enough to tell; -1 where they
  /// are not, and nothing has changed then.
  TokenId sample_top(const TopLogits& top, std::span<const TokenId> text, std::int64_t before = 0,
                     const grammar::TokenMask* mask = nullptr);

 private:
  bool greedy() const { return options_.temperature <= 0; }
  /// Whether a logit may change before tokens are chosen among.
  bool changes_logits() const { return penalizes_ || !options_.logit_bias.empty(); }
  bool raises_logits() const;
  /// What comes before the filters, of candidates in order of their ids.
  void prepare(std::span<const TokenId> text, const grammar::TokenMask* mask);
  void penalize(std::span<const TokenId> text);
  Candidate* find(TokenId id);
  /// Of the likeliest candidates, how many the filters keep of a whole row, which has `others` more
  /// whose logits are `floor` at most; 0 where that cannot be told.
  std::size_t kept_of_all(std::size_t others, double floor);
  void filter();
  TokenId draw(std::span<const TokenId> text, std::int64_t before);
  SamplerOptions options_;
  bool penalizes_;
  Mirostat mirostat_;
  Candidates candidates_;        // kept, so that a steady text allocates nothing
  std::vector<TokenId> window_;  // the same
};

/// Index of the largest logit, the lowest of equals; of those of `mask` where there is one.
TokenId argmax(std::span<const float> logits, const grammar::TokenMask* mask = nullptr);

}  // namespace polaris
