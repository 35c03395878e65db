#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "pipeline/generation.h"
#include "pipeline/step_logits.h"

namespace polaris {

/// How likely a language model takes a text that is there already to be. One text at a time, in a
/// cache of its own. Not thread-safe.
class Scorer {
 public:
  /// Takes the model's functions. Errors: as make_ready; unsupported where the model reads a source
  /// besides the text.
  static Result<Scorer> create(std::shared_ptr<Runtime> runtime, Model& model,
                               ProgramOptions program, const GenerationOptions& options);

  /// The natural logarithms of the probabilities of ids[first] and all behind it, each after those
  /// before it; `first` is at least 1. Errors: invalid (ids that are none of the vocabulary, logits
  /// that are no numbers), exhausted (more ids than the context), cancelled, device.
  Result<std::vector<double>> score(std::span<const TokenId> ids, std::int64_t first,
                                    const RunOptions& options = {});
  const LanguageModel& model() const { return ready_.model; }

 private:
  Scorer(ReadyModel ready, const BatcherOptions& options);
  Status check(std::span<const TokenId> ids, std::int64_t first) const;
  /// Runs ids[begin, end), with the logits of each where `wanted`.
  Status run(Sequence& sequence, std::span<const TokenId> ids, std::int64_t begin, std::int64_t end,
             bool wanted, const RunOptions& options);

  ReadyModel ready_;
  StepInputs inputs_;
  MicroBatches micro_batches_;
  std::int64_t tokens_max_ = 1;  // of a step
  std::int64_t rows_max_ = 1;    // of logits
  StepLogits logits_;
};

}  // namespace polaris
