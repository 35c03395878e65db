#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ir/model.h"
#include "pipeline/model_tokenizer.h"
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
  // What the decoder's dims are bound by: tokens and sequences of a step, pages of a table row.
  std::int64_t tokens_max = INT64_MAX;
  std::int64_t sequences_max = INT64_MAX;
  std::int64_t table_width_max = INT64_MAX;

  /// Takes the model's "main" function. Errors: unsupported where it is no decoder (its inputs are
  /// not tokens, positions, slots, sequences, block_table and logit_rows).
  static Result<LanguageModel> create(std::shared_ptr<Runtime> runtime, Model& model,
                                      const ProgramOptions& options = {});
};

}  // namespace polaris
