#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/draft_model.h"
#include "pipeline/draft_plan.h"

namespace polaris {

/// Whether tokens are drafted, so that one step checks several of them.
struct SpeculationOptions {
  std::int64_t draft_tokens = 7;   // of a text in a step, at most
  std::int64_t lookup_tokens = 0;  // equal tokens at least, of what stood in the text before and is
                                   // drafted again; 0: nothing is looked up
  bool adaptive = true;            // no more than pays; else as many as there are
};

/// What is kept of a text for its drafts: how they fared, by kind, and the draft model's cache.
struct DraftState {
  static constexpr std::size_t kKinds = 5;  // looked up: by tokens that were equal; of the model
  std::array<Acceptance, kKinds> acceptance;
  DraftText text;
};

/// A text that lacks one token, and what is drafted to come behind that.
struct Draft {
  DraftState* state = nullptr;
  const SamplerOptions* sampler = nullptr;
  std::span<const TokenId> tokens;  // all of the text
  std::int64_t before = 0;          // tokens that stood before it, and were dropped
  std::int64_t most = 0;            // that may be drafted
  std::vector<TokenId> drafted;
  std::size_t kind = 0;
};

/// Drafts what comes next in texts, from the texts themselves or by a small model, as far as it
/// pays. Not thread-safe.
class Speculator {
 public:
  Speculator(const SpeculationOptions& options, std::function<std::int64_t()> clock_ns)
      : options_(options), clock_ns_(std::move(clock_ns)) {}
  /// Whether anything is drafted ever.
  bool enabled() const {
    return options_.draft_tokens > 0 && (options_.lookup_tokens > 0 || model_ != nullptr);
  }
  std::int64_t draft_tokens() const { return options_.draft_tokens; }
  void set_model(std::unique_ptr<DraftModel> model) { model_ = std::move(model); }
  const DraftModel* model() const { return model_.get(); }

  /// Fills `drafted` of each; `rows_max` bounds the texts' tokens and those drafted together.
  /// Errors: those of the draft model.
  Status propose(std::span<Draft> texts, std::int64_t rows_max, const RunOptions& options);
  /// How a step with what was proposed last went: `taken` of each text, and the time of all but the
  /// drafting.
  void note(std::span<const Draft> texts, std::span<const std::int64_t> taken, double ms);

 private:
  void look_up(Draft& text);
  Status write(std::span<Draft> texts, std::span<const std::int64_t> counts,
               const RunOptions& options);
  double ms_since(std::int64_t start) const;

  SpeculationOptions options_;
  std::function<std::int64_t()> clock_ns_;
  std::unique_ptr<DraftModel> model_;
  DraftPlan plan_;
  double draft_ms_ = 0;      // of the step under way
  double token_ms_ = 0;      // that the draft model takes for one of each text; 0: not known
  std::int64_t drafts_ = 0;  // of the draft model so far
};

}  // namespace polaris
