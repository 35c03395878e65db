#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "pipeline/language_model.h"
#include "pipeline/step_inputs.h"
#include "pipeline/step_logits.h"
#include "session/kv_pool.h"
#include "session/run_options.h"
#include "session/session.h"
#include "text/sampler.h"

namespace polaris {

/// Whether what `draft` writes can be checked by `target`: equal tokens, but for some at the end
/// that one of the two lacks. Errors: invalid, naming the first that differs.
Status check_same_vocabulary(const LanguageModel& target, const LanguageModel& draft);

/// A text as a draft model knows it.
struct DraftText {
  Sequence sequence;         // holds what is known to be right, and room behind it
  std::vector<TokenId> ran;  // tokens whose keys and values are there, drafted ones included
  std::optional<Sampler> sampler;
};

/// A small model that writes ahead what a large one is likely to write. It draws with the numbers
/// that the large one will draw with: where the two agree on the probabilities they draw the same
/// token. Not thread-safe.
class DraftModel {
 public:
  DraftModel(LanguageModel model, std::unique_ptr<Session> session, std::shared_ptr<KvPool> pool,
             std::int64_t tokens_per_step);

  struct Job {
    DraftText* text = nullptr;
    const SamplerOptions* sampler = nullptr;
    std::span<const TokenId> tokens;         // all of the text
    std::int64_t before = 0;                 // tokens that stood before it, and were dropped
    std::int64_t count = 0;                  // tokens to draft
    std::vector<TokenId>* drafts = nullptr;  // gets them; fewer where there is no room
  };
  /// Reads what is new in the texts. Errors: cancelled, device, out_of_memory: texts have been read
  /// up to some token, and what is read is right.
  Status read(std::span<Job> jobs, const RunOptions& options);
  /// The same, and writes on, all texts together. Errors: the same.
  Status draft(std::span<Job> jobs, const RunOptions& options);

  /// Tokens that a step reads beside those it drafts, at most: with more, call read() before.
  static constexpr std::int64_t kLagMax = 16;
  /// Drafted tokens of one text.
  static constexpr std::int64_t kCountMax = 64;
  const LanguageModel& model() const { return model_; }
  const KvPool& pool() const { return *pool_; }

 private:
  void follow(Job& job);
  bool make_room(Job& job, Status& status);
  struct Part {  // of a step
    Job* job;
    std::int64_t end;  // of the tokens to run; those drafted count behind the text's
    bool logits;
  };
  Status run(std::span<const Part> parts, const RunOptions& options);
  Result<TokenId> pick(Job& job, std::int32_t row);

  LanguageModel model_;
  std::unique_ptr<Session> session_;
  std::shared_ptr<KvPool> pool_;
  std::int64_t part_max_;
  StepInputs inputs_;
  StepLogits logits_;
  std::vector<TokenId> text_;  // kept, so that a steady text allocates nothing
};

}  // namespace polaris
