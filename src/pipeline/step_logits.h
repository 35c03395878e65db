#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/language_model.h"
#include "session/session.h"
#include "text/sampler.h"

namespace polaris {

/// The logits of a decoder's latest step. Where the decoder tells the likeliest tokens of each row,
/// these alone are brought to the host: the rest of a row stays on its device until something asks
/// for it, and is gone with the next step. Not thread-safe.
class StepLogits {
 public:
  explicit StepLogits(const LanguageModel& model);
  /// Runs a step. `session` outlives all that is asked of it.
  Status run(Session& session, std::span<const Tensor> inputs, const RunOptions& options);
  /// In place of run(): float32[rows, vocabulary] of a step that was run elsewhere.
  void set(Tensor logits);

  /// What the sampler picks after a row; the whole row is brought where its likeliest tokens do not
  /// settle it. Errors: as row().
  Result<TokenId> sample(std::int32_t row, Sampler& sampler, std::span<const TokenId> text,
                         std::int64_t before, const grammar::TokenMask* mask);
  /// A whole row, f32[vocabulary]. Errors: device, out_of_memory.
  Result<std::span<const float>> row(std::int32_t row);
  /// The same where it is on the host already, else empty.
  std::span<const float> row_at_hand(std::int32_t row) const;

 private:
  bool at_hand(std::int32_t row) const { return here_[static_cast<std::size_t>(row)]; }
  TopLogits top(std::int32_t row) const;

  std::size_t output_;  // of the decoder: the logits
  std::optional<TopOutput> top_output_;
  std::size_t vocabulary_;
  std::vector<std::string> inputs_;   // of the decoder, by name
  std::vector<std::string> outputs_;  // the same
  Session* session_ = nullptr;
  std::vector<Tensor> results_;  // of the run
  std::vector<Tensor> top_;      // logits and ids of the likeliest
  Tensor logits_;                // rows that are here have their values
  std::vector<bool> here_;
};

}  // namespace polaris
