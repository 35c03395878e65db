#include "pipeline/batcher.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/os/clock.h"
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
    case FinishReason::kCancelled: return "cancelled";
  }
  return "none";
}

namespace {

constexpr std::size_t kSaltBytesMax = 1024;

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
      retained_(pool_, options.share_prefixes ? options.retained_texts_max : 0),
      part_max_(pool_->step_tokens_max()),
      inputs_(model_.contract(), pool_, buckets_of(model_, options)),
      micro_batches_(model_, buckets_of(model_, options), options.micro_batches) {
  // A step is no larger than the model's dims may be.
  options_.tokens_per_step = std::min(options_.tokens_per_step, model_.bounds.tokens_max);
  options_.sequences_max = std::min(options_.sequences_max, model_.bounds.sequences_max);
  // Less than a page saves nothing: it would be copied at once.
  for (const CacheGroup& group : pool_->groups()) {
    share_least_ = std::max(share_least_, group.page_size);
  }
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
  if (auto status = check_source(model_, *pool_, request.source); !status) return status.error();
  if (auto s = check_sampler(request.sampler, model_.vocabulary); !s) return s.error();
  if (request.salt.size() > kSaltBytesMax) {
    return Error::invalid("[generate] salt, got " + std::to_string(request.salt.size()) +
                          " bytes, wanted at most " + std::to_string(kSaltBytesMax));
  }
  Sampler sampler(request.sampler);
  std::vector<TokenId> tokens = request.prompt;
  waiting_.push_back({.id = next_id_,
                      .request = std::move(request),
                      .tokens = std::move(tokens),
                      .sequence = {},
                      .sampler = std::move(sampler)});
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

std::int64_t Batcher::lacks(const Active& active, std::size_t group) const {
  CacheNeed need;
  need.tokens = static_cast<std::int64_t>(active.tokens.size());
  need.step_tokens = std::min({need.tokens, part_max_, options_.tokens_per_step});
  if (active.request.source) need.source = active.request.source.shape()[0];
  const CacheGroup& cache = pool_->groups()[group];
  const std::int64_t wanted = pages_for(std::span(&cache, 1), need)[0];
  const auto held = static_cast<std::int64_t>(active.sequence.pages(group).size());
  // A page that is not full may be another's too, and is copied then.
  const std::int64_t copied = active.sequence.length() % cache.page_size != 0 ? 1 : 0;
  return std::max<std::int64_t>(wanted - held, 0) + copied;
}

bool Batcher::fits(const Active& active, bool with_retained) const {
  for (std::size_t g = 0; g < pool_->groups().size(); ++g) {
    std::int64_t wanted = lacks(active, g);
    for (const Active& other : running_) {
      // Whoever decodes takes its pages one by one.
      const auto whole = static_cast<std::int64_t>(other.tokens.size());
      if (whole - other.sequence.length() > 1) wanted += lacks(other, g);
    }
    const std::int64_t retained = with_retained ? retained_.pages(g) : 0;
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
  ++counters_.preempted;
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
    shares_.push_back({i, counts[i], -1, -1});
    (pending[i] == 1 ? counters_.decoding : counters_.prompt) += counts[i];
  }
  return Status::success();
}

std::int64_t Batcher::now_ns() const {
  return options_.clock_ns ? options_.clock_ns() : monotonic_ns();
}

Result<std::span<const TokenEvent>> Batcher::step(const RunOptions& options) {
  events_.clear();
  admit();
  if (auto status = schedule(); !status) return status.error();
  if (!shares_.empty()) {
    if (auto status = encode_sources(options); !status) return status.error();
    const std::int64_t start = now_ns();
    if (auto status = run_step(options); !status) return status.error();
    pick_tokens();
    finish_step();
    times_.note(counters_.decoding, counters_.prompt, static_cast<double>(now_ns() - start) * 1e-6);
  }
  return std::span<const TokenEvent>(events_);
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
  for (const Share& share : shares_) {
    const Active& active = running_[share.active];
    tokens += share.count;
    sequences.push_back(&active.sequence);
    const bool whole =
        active.sequence.length() + share.count == static_cast<std::int64_t>(active.tokens.size());
    rows += whole ? 1 : 0;
  }
  auto status = inputs_.begin(tokens, sequences, std::max<std::int64_t>(rows, 1));
  if (!status) return status;
  for (std::size_t row = 0; row < shares_.size(); ++row) {
    Share& share = shares_[row];
    const Active& active = running_[share.active];
    std::int32_t last = 0;
    const std::int64_t begin = active.sequence.length();
    for (std::int64_t p = begin; p < begin + share.count; ++p) {
      const TokenId token = active.tokens[static_cast<std::size_t>(p)];
      last = inputs_.add_token(token, p, static_cast<std::int32_t>(row));
    }
    const bool whole = begin + share.count == static_cast<std::int64_t>(active.tokens.size());
    if (whole) share.row = inputs_.add_logits(last);
  }
  return micro_batches_.run(*session_, inputs_.tensors(), outputs_, options);
}

FinishReason Batcher::check_finished(const Active& active, TokenId token) const {
  const auto& ends = active.request.end_tokens;
  if (std::find(ends.begin(), ends.end(), token) != ends.end()) return FinishReason::kEnd;
  if (active.generated >= active.request.max_new_tokens) return FinishReason::kLength;
  if (static_cast<std::int64_t>(active.tokens.size()) > model_.context_tokens) {
    return FinishReason::kContext;
  }
  return FinishReason::kNone;
}

/// All that may run out of memory: until finish_step nothing has changed.
void Batcher::pick_tokens() {
  const auto width = static_cast<std::size_t>(model_.vocabulary);
  events_.reserve(events_.size() + shares_.size());
  for (Share& share : shares_) {
    if (share.row < 0) continue;
    Active& active = running_[share.active];
    active.tokens.reserve(active.tokens.size() + 1);
    const float* all = outputs_[model_.contract().logits].data<float>();
    const std::span<const float> logits(all + static_cast<std::size_t>(share.row) * width, width);
    const auto at = static_cast<std::size_t>(active.generated);
    const bool forced = at < active.request.forced.size();
    share.token = forced ? active.request.forced[at] : active.sampler.sample(logits, active.tokens);
  }
}

void Batcher::finish_step() {
  const auto width = static_cast<std::size_t>(model_.vocabulary);
  for (const Share& share : shares_) {
    Active& active = running_[share.active];
    count_tokens(active, share.count);
    pool_->commit(active.sequence, active.sequence.length() + share.count);
    if (share.row < 0) continue;
    const float* all = outputs_[model_.contract().logits].data<float>();
    const std::span<const float> logits(all + static_cast<std::size_t>(share.row) * width, width);
    active.tokens.push_back(share.token);
    ++active.generated;
    const FinishReason finish = check_finished(active, share.token);
    active.finished = finish != FinishReason::kNone;
    events_.push_back({active.id, share.token, finish, logits});
  }
  remove_finished();
}

void Batcher::count_tokens(Active& active, std::int64_t count) {
  const std::int64_t begin = active.sequence.length();
  const std::int64_t end = begin + count;
  const auto prompt = static_cast<std::int64_t>(active.request.prompt.size());
  const std::int64_t again = std::clamp(active.reached - begin, std::int64_t{0}, count);
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
