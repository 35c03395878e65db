#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"
#include "pipeline/layer_fit.h"
#include "pipeline/model_tokenizer.h"
#include "pipeline/step_inputs.h"
#include "pipeline/top_logits.h"
#include "session/program.h"
#include "text/tokenizer.h"

namespace polaris {

/// Tokens of the longest sequence that a model was trained for, where its file says so.
std::optional<std::int64_t> trained_context(const Model& model);

/// A decoder over paged states with its tokenizer: what generation needs.
struct LanguageModel {
  std::shared_ptr<Program> program;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::int64_t context_tokens = 0;  // the longest sequence it was trained for
  std::int64_t vocabulary = 0;      // width of the logits
  std::vector<TokenId> end_tokens;  // any of them ends a text
  /// What the decoder's dims are bound by.
  StepBuckets bounds;
  /// What each device has of it, where layers were dealt.
  std::optional<LayerFit> fit;
  /// Where the decoder tells the likeliest tokens of each row of logits.
  std::optional<TopOutput> top;

  const DecoderContract& contract() const { return *program->decoder(); }
  /// For a request: every adapter that the model was built with.
  std::vector<std::int32_t> all_adapters() const;

  /// Takes the model's "main" function, and its encoder. Errors: unsupported where the model
  /// declares no decoder; what make_tokenizer and Program::compile say.
  static Result<LanguageModel> create(std::shared_ptr<Runtime> runtime, Model& model,
                                      const ProgramOptions& options = {});
  /// The same for a model that is run on ids alone: without tokenizer and end tokens.
  static Result<LanguageModel> without_tokenizer(std::shared_ptr<Runtime> runtime, Model& model,
                                                 const ProgramOptions& options = {});
};

}  // namespace polaris
