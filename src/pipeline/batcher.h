#pragma once
#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/grammar_masks.h"
#include "pipeline/language_model.h"
#include "pipeline/micro_batches.h"
#include "pipeline/prefix_cache.h"
#include "pipeline/speculator.h"
#include "pipeline/step_inputs.h"
#include "pipeline/step_logits.h"
#include "pipeline/step_schedule.h"
#include "session/kv_pool.h"
#include "session/session.h"
#include "text/sampler.h"

namespace polaris {

enum class FinishReason : std::uint8_t {
  kNone,     // still running
  kEnd,      // the model ended its text
  kLength,   // max_new_tokens reached
  kContext,  // the model's context is full
  kCache,    // the page pool is full and nothing else would free pages
  kStop,     // a stop string stands in the text: who reads the text says so
  kGrammar,  // the text is whole, and its grammar lets it go on no further
  kNoToken,  // the model has no token that the grammar lets follow: `error` says more
  kCancelled,
};
/// "end", "length", "context", "cache", "stop", "grammar", "no-token", "cancelled".
std::string_view finish_reason_name(FinishReason reason);

struct GenerateRequest {
  std::vector<TokenId> prompt;  // at least one token
  std::int64_t max_new_tokens = 128;
  SamplerOptions sampler;
  std::vector<TokenId> end_tokens;  // empty: nothing ends the text early
  /// Forces these tokens instead of sampling (evaluation against a peer's text).
  std::vector<TokenId> forced;
  Tensor source;     // of a model with an encoder: what is encoded before the first token
  std::string salt;  // texts share what is in the cache only where their salts are equal
  /// Adapters of the model's contract that change this text, by index, each once.
  std::vector<std::int32_t> adapters;
  /// Where the context is full the text goes on without the oldest half of what stands behind its
  /// first so many tokens; negative: it ends there.
  std::int64_t shift_keep = -1;
  bool logits = false;  // events tell them
};

using RequestId = std::int64_t;

/// What a step brought for one request: several in their order where drafted tokens were right.
struct TokenEvent {
  RequestId request = 0;
  TokenId token = -1;  // -1: no token, the request just finished
  FinishReason finish = FinishReason::kNone;
  /// f32[vocabulary] the token was picked from, until the next step; empty where the request did
  /// not ask for logits and nothing else brought them to the host.
  std::span<const float> logits;
  std::string error = {};  // of kNoToken
};

struct BatcherOptions {
  std::int64_t tokens_per_step = 512;  // prompt tokens and running sequences of one step
  std::int64_t sequences_max = 64;     // running at once
  std::int64_t bucket_min = 1;         // smallest bucket of tokens, sequences and logits: equal
                                       // buckets give equal bits
  std::int64_t table_width_min = 64;   // pages of a block table row; doubles as caches grow
  bool share_prefixes = true;          // a new prompt reuses the cache of an equal prefix
  std::int64_t retained_texts_max =
      0;                      // texts that are over and stay in the cache while it has room
  double step_budget_ms = 0;  // what a step with prompts in it may take; 0: whatever it takes
  SpeculationOptions speculation;
  std::function<std::int64_t()> clock_ns;  // empty: monotonic_ns
  MicroBatchOptions micro_batches;         // where layers stand on several devices
};

/// What was computed since the batcher was made.
struct BatcherCounters {
  std::int64_t prompt_tokens = 0;      // of all requests that were taken
  std::int64_t computed_tokens = 0;    // of these, those that were run
  std::int64_t run_tokens = 0;         // of prompts and new ones, those run again included
  std::int64_t recomputed_tokens = 0;  // run again, of texts that had given their pages back or
                                       // whose context was full
  std::int64_t preempted = 0;          // times that a text gave its pages back
  std::int64_t preempted_most = 0;     // of these, of one text
  std::int64_t decoding = 0;           // texts that lacked one token in the last step
  std::int64_t prompt = 0;             // other tokens of the last step
  double expected_ms = 0;              // that the last step was to take; 0: nobody knew
  std::int64_t drafted = 0;            // tokens that were checked
  std::int64_t accepted = 0;           // of these, those that were right and are in the texts
  std::int64_t shifts = 0;             // times that a text went on behind a full context
  std::int64_t dropped_tokens = 0;     // that this took out of texts
};

/// Continuous batching: sequences join and leave at every step. Each step runs one token of every
/// running sequence and beside them prompt tokens, as many as step_budget_ms leaves time for,
/// shared between the prompts. Texts that are over are retained, up to retained_texts_max, while no
/// running text needs their pages; when there are none left the youngest sequence gives its pages
/// back and is computed again later. Where a step only decodes, drafted tokens run behind the one
/// of each text, and those stay that the text would have had without them. Not thread-safe.
class Batcher {
 public:
  Batcher(LanguageModel model, std::unique_ptr<Session> session, std::shared_ptr<KvPool> pool,
          const BatcherOptions& options);
  /// Drafts by a small model, beside those that are looked up. Errors: invalid where its vocabulary
  /// is another one, unsupported where it has an encoder.
  Status set_draft_model(std::unique_ptr<DraftModel> model);
  /// Errors: invalid (no prompt, a token outside the vocabulary, a sampler that cannot be, a
  /// grammar beside forced tokens, a source that is missing or does not fit, more to keep than a
  /// full context has), exhausted (a prompt or source longer than the context or than the whole
  /// pool): refused before anything runs.
  Result<RequestId> add(GenerateRequest request);
  /// Runs one step; events in order of request. Empty where nothing is to do.
  /// Errors: cancelled, device, out_of_memory: running requests stay as they were before the step.
  Result<std::span<const TokenEvent>> step(const RunOptions& options = {});
  /// Ends a request; its pages are free at once. False where there is none of that id.
  bool cancel(RequestId request);
  bool idle() const { return waiting_.empty() && running_.empty(); }
  const BatcherCounters& counters() const { return counters_; }
  /// Tokens of the longest text: of the model's context, and of what the cache holds.
  std::int64_t context_tokens() const {
    return std::min(model_.context_tokens, pool_->tokens_max());
  }
  std::int64_t retained_texts() const { return retained_.texts(); }
  std::int64_t running() const { return static_cast<std::int64_t>(running_.size()); }
  /// Prompt tokens that were not computed because a running or retained sequence had them.
  std::int64_t shared_tokens() const { return shared_tokens_; }
  const LanguageModel& model() const { return model_; }
  /// Parts of steps that were in flight together.
  std::int64_t micro_batches() const { return micro_batches_.cut(); }

 private:
  struct Active {
    RequestId id = 0;
    GenerateRequest request;
    std::vector<TokenId> tokens;  // prompt and what was generated
    std::int64_t generated = 0;
    bool encoded = false;  // the source is in the cache
    bool finished = false;
    std::int64_t reached = 0;  // tokens that were in the cache at some time
    std::int64_t dropped = 0;  // tokens that stood before these, and went when the context was full
    std::int64_t preempted = 0;  // times that it gave its pages back
    Sequence sequence;
    Sampler sampler;
    DraftState drafts;
    grammar::Matcher matcher;  // of no grammar, where there is none
  };
  struct Share {  // an Active's part of the step under way
    std::size_t active = 0;
    std::int64_t count = 0;                     // tokens from sequence.length() on
    std::int32_t row = -1;                      // first row of the logits, -1: the prompt goes on
    std::vector<TokenId> picked = {};           // from that row and those behind it
    FinishReason finish = FinishReason::kNone;  // where no token could be picked
    std::string error = {};
  };
  /// Errors: invalid, what no text of this model may have. The adapters are sorted then, and the
  /// salt tells texts of other adapters apart.
  Status take_adapters(GenerateRequest& request) const;
  Status check_tokens(std::span<const TokenId> tokens, std::string_view what) const;
  /// Whether the cache has room for the whole of a newcomer beside those that run, and for the
  /// part of new tokens of each that growth_counted says; `with_retained` counts pages as free that
  /// only retained texts hold.
  bool fits(const Active& active, bool with_retained) const;
  /// Pages of a group that a text needs besides those it has, to be in the cache whole with that
  /// part of the new tokens that it may still have.
  std::int64_t lacks(const Active& active, double growth, std::size_t group) const;
  /// The part of their new tokens that texts are let in with room for: what texts used of them
  /// lately, and more for one that was pushed out. Who was pushed out twice has room for all.
  double growth_counted(const Active& active) const;
  void note_growth(const Active& active);
  std::int64_t allowance(const Active& active) const;
  void admit();
  /// Retained texts give way until it fits. False where that is not enough.
  bool make_room(const Active& active);
  void share_prefix(Active& active);
  void retain(Active&& active);
  /// Chooses who runs how many tokens and reserves their pages.
  Status schedule();
  /// Texts that are longer than the context go on without their middle.
  void shift_full_texts();
  /// What comes behind the tokens of a step that only decodes, and room for it.
  Status draft(const RunOptions& options);
  Status reserve_draft(Active& active, Draft& draft);
  std::span<const TokenId> drafted(std::size_t share) const;
  void note_step(double ms);
  std::int64_t now_ns() const;
  Status reserve(Active& active, std::int64_t new_length);
  Status reserve_or_preempt(std::size_t index, std::int64_t new_length, bool& reserved);
  void preempt_youngest();
  Status encode_sources(const RunOptions& options);
  Status run_step(const RunOptions& options);
  Status pick_tokens();
  Status pick_tokens(Share& share, std::span<const TokenId> drafted);
  Result<TokenId> pick_token(Share& share, std::size_t at, std::int32_t row,
                             std::span<const TokenId> text);
  void finish_step();
  void count_tokens(Active& active, std::int64_t count);
  void remove_finished();
  /// What a text is finished by that has so many tokens, of which so many are new.
  FinishReason check_finished(const Active& active, TokenId token, std::int64_t size,
                              std::int64_t generated) const;

  LanguageModel model_;
  std::unique_ptr<Session> session_;
  std::shared_ptr<KvPool> pool_;
  BatcherOptions options_;
  RequestId next_id_ = 1;
  std::int64_t shared_tokens_ = 0;
  BatcherCounters counters_;
  StepTimes times_;
  double growth_ = 0.75;  // part of the tokens that texts may have which they have, on the average
  Speculator speculator_;
  PrefixCache retained_;
  std::deque<Active> waiting_;
  std::vector<Active> running_;  // oldest first
  std::vector<Share> shares_;
  std::vector<Draft> drafts_;        // of each share; none where nothing is drafted
  std::vector<std::int64_t> taken_;  // of each share: drafted tokens that were right
  std::vector<TokenId> text_;        // a text with its drafted tokens
  std::vector<TokenEvent> events_;
  std::int64_t share_least_ = 1;  // tokens of a prefix that are worth sharing
  std::int64_t part_max_ = 1;     // tokens of one sequence in a step
  StepInputs inputs_;
  MicroBatches micro_batches_;
  StepLogits logits_;
  GrammarMasks grammars_;
};

}  // namespace polaris
