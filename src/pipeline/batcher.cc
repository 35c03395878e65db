#include "pipeline/batcher.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/os/clock.h"
#include "pipeline/context_shift.h"
#include "pipeline/encode_source.h"

namespace polaris {

std::string_view finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kNone: return "none";
    case FinishReason::kEnd: return "end";
    case FinishReason::kLength: return "length";
    case FinishReason::kContext: return "context";
    case FinishReason::kCache: return "cache";
    case FinishReason::kStop: return "stop";
    case FinishReason::kGrammar: return "grammar";
    case FinishReason::kNoToken: return "no-token";
    case FinishReason::kCancelled: return "cancelled";
  }
  return "none";
}

namespace {

constexpr std::size_t kSaltBytesMax = 1024;
constexpr std::int64_t kGrowthLeast = 16;  // new tokens of a text that there is room for
constexpr double kGrowthNewest = 0.125;    // weight of the text that was over last

StepBuckets buckets_of(const LanguageModel& model, const BatcherOptions& options) {
  StepBuckets out = model.bounds;
  out.least = options.bucket_min;
  out.width_least = options.table_width_min;
  return out;
}

}  // namespace

Batcher::Batcher(LanguageModel model, std::unique_ptr<Session> session,
                 std::shared_ptr<KvPool> pool, const BatcherOptions& options)
    : model_(std::move(model)),
      session_(std::move(session)),
      pool_(std::move(pool)),
      options_(options),
      speculator_(options.speculation, [this] { return now_ns(); }),
      retained_(pool_, options.share_prefixes ? options.retained_texts_max : 0),
      part_max_(pool_->step_tokens_max()),
      inputs_(model_.contract(), pool_, buckets_of(model_, options)),
      micro_batches_(model_, buckets_of(model_, options), options.micro_batches),
      logits_(model_) {
  // A step is no larger than the model's dims may be.
  options_.tokens_per_step = std::min(options_.tokens_per_step, model_.bounds.tokens_max);
  options_.sequences_max = std::min(options_.sequences_max, model_.bounds.sequences_max);
  // Less than a page saves nothing: it would be copied at once.
  for (const CacheGroup& group : pool_->groups()) {
    share_least_ = std::max(share_least_, group.page_size);
  }
}

Status Batcher::set_draft_model(std::unique_ptr<DraftModel> model) {
  if (model->model().contract().encoder) {
    return Error::unsupported("[draft] got a model with an encoder, wanted a decoder alone");
  }
  if (auto status = check_same_vocabulary(model_, model->model()); !status) return status;
  speculator_.set_model(std::move(model));
  return Status::success();
}

Status Batcher::check_tokens(std::span<const TokenId> tokens, std::string_view what) const {
  for (TokenId token : tokens) {
    if (token >= 0 && token < model_.vocabulary) continue;
    return Error::invalid("[generate] " + std::string(what) + " token, got " +
                          std::to_string(token) + ", wanted 0 to " +
                          std::to_string(model_.vocabulary - 1));
  }
  return Status::success();
}

Status Batcher::take_adapters(GenerateRequest& request) const {
  const auto& known = model_.contract().adapters;
  std::vector<std::int32_t>& wanted = request.adapters;
  const std::int64_t most = known ? known->per_text : 0;
  if (std::cmp_greater(wanted.size(), most)) {
    return Error::invalid("[generate] adapters, got " + std::to_string(wanted.size()) +
                          ", wanted at most " + std::to_string(most) + " of a text");
  }
  std::ranges::sort(wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool twice = i > 0 && wanted[i] == wanted[i - 1];
    if (!twice && wanted[i] >= 0 && std::cmp_less(wanted[i], known->names.size())) continue;
    return Error::invalid("[generate] adapter, got " + std::to_string(wanted[i]) +
                          (twice ? " twice" : "") + ", wanted each once of 0 to " +
                          std::to_string(known->names.size() - 1));
  }
  if (!known) return Status::success();
  // An adapter changes every key and value after it.
  std::string own = std::to_string(request.salt.size()) + ":" + request.salt;
  for (const std::int32_t adapter : wanted) own += "," + std::to_string(adapter);
  request.salt = std::move(own);
  return Status::success();
}

Result<RequestId> Batcher::add(GenerateRequest request) {
  if (request.prompt.empty()) return Error::invalid("[generate] the prompt has no token");
  if (auto status = check_tokens(request.prompt, "prompt"); !status) return status.error();
  if (auto status = check_tokens(request.forced, "forced"); !status) return status.error();
  const auto prompt = static_cast<std::int64_t>(request.prompt.size());
  const std::int64_t pool_tokens = pool_->tokens_max();
  const std::int64_t limit = std::min(model_.context_tokens, pool_tokens);
  // The cache holds every token but the last one generated.
  if (prompt > limit) {
    return Error::exhausted("[generate] prompt, got " + std::to_string(prompt) +
                            " tokens, wanted at most " + std::to_string(limit) + " (context " +
                            std::to_string(model_.context_tokens) + ", cache " +
                            std::to_string(pool_tokens) + ")");
  }
  if (request.shift_keep > limit - 2) {
    return Error::invalid("[generate] tokens to keep, got " + std::to_string(request.shift_keep) +
                          ", wanted at most " + std::to_string(limit - 2) + " of a context of " +
                          std::to_string(limit));
  }
  if (auto status = check_source(model_, *pool_, request.source); !status) return status.error();
  if (auto s = check_sampler(request.sampler, model_.vocabulary); !s) return s.error();
  if (request.salt.size() > kSaltBytesMax) {
    return Error::invalid("[generate] salt, got " + std::to_string(request.salt.size()) +
                          " bytes, wanted at most " + std::to_string(kSaltBytesMax));
  }
  if (auto status = take_adapters(request); !status) return status.error();
  grammar::Matcher matcher;
  if (request.sampler.grammar) {
    if (!request.forced.empty()) {
      return Error::invalid("[generate] forced tokens, got a grammar beside them");
    }
    auto begun = grammars_.begin(request.sampler.grammar, model_);
    if (!begun) return begun.error();
    matcher = begun.take();
  }
  Sampler sampler(request.sampler);
  std::vector<TokenId> tokens = request.prompt;
  waiting_.push_back({.id = next_id_,
                      .request = std::move(request),
                      .tokens = std::move(tokens),
                      .sequence = {},
                      .sampler = std::move(sampler),
                      .drafts = {},
                      .matcher = std::move(matcher)});
  counters_.prompt_tokens += prompt;
  return next_id_++;
}

bool Batcher::cancel(RequestId request) {
  const auto same = [&](const Active& active) { return active.id == request; };
  const auto running = std::find_if(running_.begin(), running_.end(), same);
  if (running != running_.end()) {
    retain(std::move(*running));
    running_.erase(running);
    return true;
  }
  return std::erase_if(waiting_, same) > 0;
}

void Batcher::retain(Active&& active) {
  note_growth(active);
  // Equal tokens over different sources have different keys.
  if (active.request.source) return;
  retained_.retain(std::move(active.request.salt), std::move(active.tokens),
                   std::move(active.sequence));
}

void Batcher::admit() {
  while (!waiting_.empty() && static_cast<std::int64_t>(running_.size()) < options_.sequences_max) {
    Active& next = waiting_.front();
    if (options_.share_prefixes) share_prefix(next);
    if (!next.sequence.started()) next.sequence = pool_->start();
    // A newcomer must fit whole, or it would push out those already running.
    if (!running_.empty() && !make_room(next)) {
      next.sequence = Sequence();
      return;
    }
    const std::int64_t shared = next.sequence.length();
    running_.push_back(std::move(next));
    waiting_.pop_front();
    shared_tokens_ += shared;
    running_.back().reached = std::max(running_.back().reached, shared);
  }
}

bool Batcher::make_room(const Active& active) {
  // Where it would not be enough the texts are not thrown away for nothing.
  if (!fits(active, true)) return false;
  while (!fits(active, false)) {
    if (!retained_.give_way()) return false;
  }
  return true;
}

/// New tokens that it may have at most.
std::int64_t Batcher::allowance(const Active& active) const {
  const std::int64_t prompt = std::ssize(active.tokens) - active.generated;
  return std::max<std::int64_t>(
      std::min(active.request.max_new_tokens, context_tokens() - prompt + 1), 1);
}

void Batcher::note_growth(const Active& active) {
  const double used =
      static_cast<double>(active.generated) / static_cast<double>(allowance(active));
  growth_ += kGrowthNewest * (std::min(used, 1.0) - growth_);
}

double Batcher::growth_counted(const Active& active) const {
  if (active.preempted == 0) return growth_;
  return active.preempted == 1 ? (1 + growth_) / 2 : 1;
}

std::int64_t Batcher::lacks(const Active& active, double growth, std::size_t group) const {
  CacheNeed need;
  const auto size = static_cast<std::int64_t>(active.tokens.size());
  // Of the last token nothing is kept.
  const auto left = std::max<std::int64_t>(allowance(active) - active.generated - 1, 0);
  const auto likely = static_cast<std::int64_t>(std::ceil(growth * static_cast<double>(left)));
  const std::int64_t grown = size + std::min(std::max(likely, kGrowthLeast), left);
  need.tokens = std::max(size, std::min(grown, context_tokens()));
  const std::int64_t pending = std::max<std::int64_t>(size - active.sequence.length(), 1);
  need.step_tokens = std::min({pending, part_max_, options_.tokens_per_step});
  if (active.request.source) need.source = active.request.source.shape()[0];
  const CacheGroup& cache = pool_->groups()[group];
  const std::int64_t wanted = pages_for(std::span(&cache, 1), need)[0];
  const auto held = static_cast<std::int64_t>(active.sequence.pages(group).size());
  // A page that is not full may be another's too, and is copied then.
  const std::int64_t copied = active.sequence.length() % cache.page_size != 0 ? 1 : 0;
  return std::max<std::int64_t>(wanted - held, 0) + copied;
}

bool Batcher::fits(const Active& active, bool with_retained) const {
  const double growth = growth_counted(active);
  for (std::size_t g = 0; g < pool_->groups().size(); ++g) {
    std::int64_t wanted = lacks(active, growth, g);
    for (const Active& other : running_) wanted += lacks(other, growth, g);
    const std::int64_t retained = with_retained ? retained_.freeable_pages(g) : 0;
    if (wanted > pool_->free_pages(g) + retained) return false;
  }
  return true;
}

void Batcher::share_prefix(Active& active) {
  // Equal tokens over different sources have different keys.
  if (active.request.source) return;
  // The last token is always computed: its logits are wanted.
  const auto most = static_cast<std::int64_t>(active.tokens.size()) - 1;
  PrefixCache::Found best = retained_.find(active.request.salt, active.tokens, most);
  for (const Active& other : running_) {
    if (other.request.source || other.request.salt != active.request.salt) continue;
    const std::int64_t limit = std::min(other.sequence.length(), most);
    std::int64_t length = 0;
    while (length < limit && other.tokens[static_cast<std::size_t>(length)] ==
                                 active.tokens[static_cast<std::size_t>(length)]) {
      ++length;
    }
    length = pool_->forkable(other.sequence, length);
    if (length > best.length) best = {&other.sequence, length};
  }
  if (best.length < share_least_) return;
  active.sequence = pool_->fork(*best.sequence, best.length);
}

Status Batcher::reserve(Active& active, std::int64_t new_length) {
  if (active.request.source && !active.encoded) {
    const std::int64_t positions = active.request.source.shape()[0];
    if (auto status = pool_->reserve_source(active.sequence, positions); !status) return status;
  }
  return pool_->reserve(active.sequence, new_length);
}

Status Batcher::reserve_or_preempt(std::size_t index, std::int64_t new_length, bool& reserved) {
  reserved = false;
  while (true) {
    const Status status = reserve(running_[index], new_length);
    if (status) {
      reserved = true;
      return status;
    }
    if (status.error().code() != ErrorCode::kExhausted) return status;
    if (retained_.give_way()) continue;
    // The youngest gives way, if it is younger than the one that asks.
    if (running_.size() - 1 <= index) return Status::success();
    preempt_youngest();
  }
}

void Batcher::preempt_youngest() {
  Active& youngest = running_.back();
  // Retained, so that it has to compute only what others really needed.
  std::vector<TokenId> tokens;
  std::string salt;
  if (!youngest.request.source) {
    tokens = youngest.tokens;
    salt = youngest.request.salt;
  }
  waiting_.push_front(std::move(youngest));
  running_.pop_back();
  Sequence sequence = std::move(waiting_.front().sequence);
  waiting_.front().encoded = false;
  waiting_.front().drafts.text = DraftText();
  ++counters_.preempted;
  counters_.preempted_most = std::max(counters_.preempted_most, ++waiting_.front().preempted);
  if (!tokens.empty()) {
    retained_.retain(std::move(salt), std::move(tokens), std::move(sequence));
  }
}

Status Batcher::schedule() {
  shares_.clear();
  counters_.decoding = counters_.prompt = 0;
  std::vector<std::int64_t> pending;
  for (const Active& active : running_) {
    pending.push_back(static_cast<std::int64_t>(active.tokens.size()) - active.sequence.length());
  }
  const std::int64_t decoding = std::count(pending.begin(), pending.end(), 1);
  StepLimits limits{options_.tokens_per_step, options_.tokens_per_step, part_max_};
  if (options_.step_budget_ms > 0) {
    limits.prompt = times_.chunk(decoding, options_.step_budget_ms, options_.tokens_per_step);
  }
  const std::vector<std::int64_t> counts = plan_step(pending, limits);
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (counts[i] == 0) continue;
    bool reserved = false;
    auto status = reserve_or_preempt(i, running_[i].sequence.length() + counts[i], reserved);
    if (!status) return status;
    if (!reserved) {
      // Alone and still no room: this is all the cache holds.
      if (i == 0 && running_.size() == 1) {
        events_.push_back({running_[i].id, -1, FinishReason::kCache, {}});
        running_.pop_back();
      }
      break;
    }
    shares_.push_back({.active = i, .count = counts[i]});
    (pending[i] == 1 ? counters_.decoding : counters_.prompt) += counts[i];
  }
  return Status::success();
}

std::int64_t Batcher::now_ns() const {
  return options_.clock_ns ? options_.clock_ns() : monotonic_ns();
}

Result<std::span<const TokenEvent>> Batcher::step(const RunOptions& options) {
  events_.clear();
  shift_full_texts();
  admit();
  if (auto status = schedule(); !status) return status.error();
  if (!shares_.empty()) {
    if (auto status = encode_sources(options); !status) return status.error();
    if (auto status = draft(options); !status) return status.error();
    const std::int64_t start = now_ns();
    if (auto status = run_step(options); !status) return status.error();
    if (auto status = pick_tokens(); !status) return status.error();
    finish_step();
    note_step(static_cast<double>(now_ns() - start) * 1e-6);
    remove_finished();
  }
  return std::span<const TokenEvent>(events_);
}

void Batcher::shift_full_texts() {
  const std::int64_t limit = context_tokens();
  for (Active& active : running_) {
    const auto size = static_cast<std::int64_t>(active.tokens.size());
    const std::int64_t keep = active.request.shift_keep;
    if (keep < 0 || size <= limit) continue;
    std::vector<TokenId> tokens = shifted_text(active.tokens, keep);
    // What is kept at its place stays in the cache, the rest has other positions now.
    const std::int64_t length = pool_->forkable(active.sequence, keep);
    Sequence sequence = length > 0 ? pool_->fork(active.sequence, length) : pool_->start();
    const std::int64_t dropped = size - static_cast<std::int64_t>(tokens.size());
    active.tokens = std::move(tokens);
    active.sequence = std::move(sequence);
    if (length == 0) active.encoded = false;
    active.drafts.text = DraftText();
    active.dropped += dropped;
    active.reached = size - dropped - 1;
    active.request.prompt.clear();  // is no longer what the text begins with
    ++counters_.shifts;
    counters_.dropped_tokens += dropped;
  }
}

Status Batcher::draft(const RunOptions& options) {
  drafts_.clear();
  // Beside prompts there is work enough for a step.
  if (!speculator_.enabled() || counters_.prompt > 0) return Status::success();
  const std::int64_t context = context_tokens();
  for (const Share& share : shares_) {
    Active& active = running_[share.active];
    Draft draft;
    draft.state = &active.drafts;
    draft.sampler = &active.request.sampler;
    draft.tokens = active.tokens;
    draft.before = active.dropped;
    draft.most =
        std::min({active.request.max_new_tokens - active.generated - 1,
                  context - static_cast<std::int64_t>(active.tokens.size()), part_max_ - 1});
    if (!active.request.forced.empty()) draft.most = 0;
    drafts_.push_back(std::move(draft));
  }
  auto status = speculator_.propose(drafts_, options_.tokens_per_step, options);
  for (std::size_t i = 0; status && i < shares_.size(); ++i) {
    status = reserve_draft(running_[shares_[i].active], drafts_[i]);
    shares_[i].count += static_cast<std::int64_t>(drafts_[i].drafted.size());
  }
  return status;
}

/// Retained texts give way to drafts; those that run do not.
Status Batcher::reserve_draft(Active& active, Draft& draft) {
  const auto known = [&](TokenId token) { return token < model_.vocabulary; };
  draft.drafted.erase(std::find_if_not(draft.drafted.begin(), draft.drafted.end(), known),
                      draft.drafted.end());
  const std::int64_t begin = active.sequence.length() + 1;
  while (!draft.drafted.empty()) {
    const auto count = static_cast<std::int64_t>(draft.drafted.size());
    const Status status = pool_->reserve(active.sequence, begin + count);
    if (status || status.error().code() != ErrorCode::kExhausted) return status;
    if (!retained_.give_way()) draft.drafted.pop_back();
  }
  return Status::success();
}

std::span<const TokenId> Batcher::drafted(std::size_t share) const {
  return drafts_.empty() ? std::span<const TokenId>() : drafts_[share].drafted;
}

void Batcher::note_step(double ms) {
  std::int64_t checked = 0;
  for (const Draft& draft : drafts_) checked += static_cast<std::int64_t>(draft.drafted.size());
  counters_.expected_ms = times_.expected_ms(counters_.decoding + checked, counters_.prompt);
  times_.note(counters_.decoding + checked, counters_.prompt, ms);
  if (drafts_.empty()) return;
  for (const std::int64_t taken : taken_) counters_.accepted += taken;
  counters_.drafted += checked;
  speculator_.note(drafts_, taken_, ms);
}

Status Batcher::encode_sources(const RunOptions& options) {
  for (const Share& share : shares_) {
    Active& active = running_[share.active];
    if (!active.request.source || active.encoded) continue;
    auto status = encode_source(*session_, *pool_, active.sequence, active.request.source, options);
    if (!status) return status;
    active.encoded = true;
  }
  return Status::success();
}

Status Batcher::run_step(const RunOptions& options) {
  std::int64_t tokens = 0;
  std::int64_t rows = 0;
  std::vector<const Sequence*> sequences;
  // Logits are wanted after the text's last token and after each that is drafted.
  const auto has_logits = [&](const Share& share) {
    const Active& active = running_[share.active];
    return active.sequence.length() + share.count >=
           static_cast<std::int64_t>(active.tokens.size());
  };
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    tokens += shares_[i].count;
    sequences.push_back(&running_[shares_[i].active].sequence);
    if (has_logits(shares_[i])) rows += 1 + static_cast<std::int64_t>(drafted(i).size());
  }
  auto status = inputs_.begin(tokens, sequences, std::max<std::int64_t>(rows, 1));
  if (!status) return status;
  for (std::size_t row = 0; row < shares_.size(); ++row) {
    Share& share = shares_[row];
    const Active& active = running_[share.active];
    const std::span<const TokenId> drafts = drafted(row);
    const auto size = static_cast<std::int64_t>(active.tokens.size());
    const std::int64_t begin = active.sequence.length();
    for (std::int64_t p = begin; p < begin + share.count; ++p) {
      const TokenId token = p < size ? active.tokens[static_cast<std::size_t>(p)]
                                     : drafts[static_cast<std::size_t>(p - size)];
      const std::int32_t at =
          inputs_.add_token(token, p, static_cast<std::int32_t>(row), active.request.adapters);
      if (p + 1 < size) continue;
      const std::int32_t logits = inputs_.add_logits(at);
      if (share.row < 0) share.row = logits;
    }
  }
  return micro_batches_.run(*session_, inputs_.tensors(), logits_, options);
}

FinishReason Batcher::check_finished(const Active& active, TokenId token, std::int64_t size,
                                     std::int64_t generated) const {
  const auto& ends = active.request.end_tokens;
  if (std::find(ends.begin(), ends.end(), token) != ends.end()) return FinishReason::kEnd;
  if (active.matcher && !active.matcher.may_go_on()) return FinishReason::kGrammar;
  if (generated >= active.request.max_new_tokens) return FinishReason::kLength;
  if (active.request.shift_keep < 0 && size > model_.context_tokens) return FinishReason::kContext;
  return FinishReason::kNone;
}

/// All that may fail: until finish_step nothing has changed.
Status Batcher::pick_tokens() {
  std::size_t rows = 0;
  taken_.assign(shares_.size(), 0);
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    if (shares_[i].row < 0) continue;
    if (auto status = pick_tokens(shares_[i], drafted(i)); !status) return status;
    rows += shares_[i].picked.size() + 1;
    taken_[i] = std::max<std::int64_t>(std::ssize(shares_[i].picked) - 1, 0);
  }
  events_.reserve(events_.size() + rows);
  return Status::success();
}

/// Each token is the one that the text has without drafts; the first that was drafted otherwise is
/// the last, since what was computed behind it is not of this text.
Status Batcher::pick_tokens(Share& share, std::span<const TokenId> drafts) {
  Active& active = running_[share.active];
  const std::size_t size = active.tokens.size();
  active.tokens.reserve(size + drafts.size() + 1);
  share.picked.reserve(drafts.size() + 1);
  std::span<const TokenId> text = active.tokens;
  if (!drafts.empty()) {
    text_ = active.tokens;
    text_.insert(text_.end(), drafts.begin(), drafts.end());
    text = text_;
  }
  if (active.matcher) active.matcher.rewind();
  for (std::size_t i = 0; i <= drafts.size(); ++i) {
    const std::int32_t row = share.row + static_cast<std::int32_t>(i);
    const auto at = static_cast<std::size_t>(active.generated) + i;
    const auto picked = pick_token(share, at, row, text.first(size + i));
    if (!picked) return picked.error();
    const TokenId token = *picked;
    if (token < 0) break;
    share.picked.push_back(token);
    if (active.request.logits) {
      if (const auto logits = logits_.row(row); !logits) return logits.error();
    }
    const auto count = static_cast<std::int64_t>(i) + 1;
    const FinishReason finish = check_finished(
        active, token, static_cast<std::int64_t>(size) + count, active.generated + count);
    if (finish != FinishReason::kNone || i == drafts.size() || token != drafts[i]) break;
  }
  return Status::success();
}

/// -1 where there is none: for the first of a step, `share` says why; of a later one the next step
/// does.
Result<TokenId> Batcher::pick_token(Share& share, std::size_t at, std::int32_t row,
                                    std::span<const TokenId> text) {
  Active& active = running_[share.active];
  if (at < active.request.forced.size()) return active.request.forced[at];
  const auto sample = [&](const grammar::TokenMask* mask) {
    return logits_.sample(row, active.sampler, text, active.dropped, mask);
  };
  if (!active.matcher) return sample(nullptr);
  auto pick = pick_by_grammar(
      active.matcher, [&](const grammar::TokenMask& mask) { return sample(&mask); },
      active.request.end_tokens);
  if (!pick) return pick.error();
  if (pick->token < 0 && share.picked.empty()) {
    share.finish = pick->error.empty() ? FinishReason::kGrammar : FinishReason::kNoToken;
    share.error = std::move(pick->error);
  }
  return pick->token;
}

void Batcher::finish_step() {
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    Share& share = shares_[i];
    Active& active = running_[share.active];
    const auto drafts = static_cast<std::int64_t>(drafted(i).size());
    const std::int64_t count = share.count - drafts + taken_[i];
    count_tokens(active, count);
    pool_->commit(active.sequence, active.sequence.length() + count);
    if (share.row >= 0 && share.picked.empty()) {
      active.finished = true;
      events_.push_back({active.id, -1, share.finish, {}, std::move(share.error)});
      continue;
    }
    if (active.matcher && share.row >= 0) active.matcher.commit();
    for (std::size_t t = 0; t < share.picked.size(); ++t) {
      active.tokens.push_back(share.picked[t]);
      ++active.generated;
      // What the text went on after did not end it.
      const FinishReason finish = t + 1 < share.picked.size()
                                      ? FinishReason::kNone
                                      : check_finished(active, share.picked[t],
                                                       std::ssize(active.tokens), active.generated);
      active.finished = finish != FinishReason::kNone;
      events_.push_back({active.id, share.picked[t], finish,
                         logits_.row_at_hand(share.row + static_cast<std::int32_t>(t))});
    }
  }
}

void Batcher::count_tokens(Active& active, std::int64_t count) {
  const std::int64_t begin = active.sequence.length();
  const std::int64_t end = begin + count;
  const auto prompt = static_cast<std::int64_t>(active.request.prompt.size());
  const std::int64_t again = std::clamp(active.reached - begin, std::int64_t{0}, count);
  counters_.run_tokens += count;
  counters_.recomputed_tokens += again;
  const std::int64_t first = begin + again;
  counters_.computed_tokens += std::max<std::int64_t>(std::min(end, prompt) - first, 0);
  active.reached = std::max(active.reached, end);
}

void Batcher::remove_finished() {
  for (Active& active : running_) {
    if (active.finished) retain(std::move(active));
  }
  std::erase_if(running_, [](const Active& active) { return active.finished; });
}

}  // namespace polaris
