#include "pipeline/batcher.h"

#include <algorithm>
#include <string>
#include <utility>

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
      part_max_(pool_->step_tokens_max()),
      inputs_(model_.contract(), pool_, buckets_of(model_, options)) {
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
  Active active{next_id_++, std::move(request), {}, 0, false, {}, Sampler({})};
  active.tokens = active.request.prompt;
  active.sampler = Sampler(active.request.sampler);
  waiting_.push_back(std::move(active));
  return waiting_.back().id;
}

bool Batcher::cancel(RequestId request) {
  const auto same = [&](const Active& active) { return active.id == request; };
  return std::erase_if(waiting_, same) + std::erase_if(running_, same) > 0;
}

void Batcher::admit() {
  while (!waiting_.empty() && static_cast<std::int64_t>(running_.size()) < options_.sequences_max) {
    Active& next = waiting_.front();
    // A newcomer must fit whole, or it would push out those already running.
    if (!running_.empty() && !fits(next)) break;
    if (options_.share_prefixes) share_prefix(next);
    if (!next.sequence.started()) next.sequence = pool_->start();
    running_.push_back(std::move(next));
    waiting_.pop_front();
  }
}

bool Batcher::fits(const Active& active) const {
  CacheNeed need;
  need.tokens = static_cast<std::int64_t>(active.tokens.size());
  need.step_tokens = std::min({need.tokens, part_max_, options_.tokens_per_step});
  if (active.request.source) need.source = active.request.source.shape()[0];
  const std::vector<std::int64_t> pages = pages_for(pool_->groups(), need);
  for (std::size_t g = 0; g < pages.size(); ++g) {
    if (pages[g] > pool_->free_pages(g)) return false;
  }
  return true;
}

void Batcher::share_prefix(Active& active) {
  // Equal tokens over different sources have different keys.
  if (active.request.source) return;
  const Active* best = nullptr;
  std::int64_t best_length = 0;
  for (const Active& other : running_) {
    // The last token is always computed: its logits are wanted.
    const std::int64_t limit =
        std::min(other.sequence.length(), static_cast<std::int64_t>(active.tokens.size()) - 1);
    std::int64_t length = 0;
    while (length < limit && other.tokens[static_cast<std::size_t>(length)] ==
                                 active.tokens[static_cast<std::size_t>(length)]) {
      ++length;
    }
    length = pool_->forkable(other.sequence, length);
    if (length > best_length) {
      best = &other;
      best_length = length;
    }
  }
  if (best == nullptr || best_length < share_least_) return;
  active.sequence = pool_->fork(best->sequence, best_length);
  shared_tokens_ += best_length;
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
    // The youngest gives way, if it is younger than the one that asks.
    if (running_.size() - 1 <= index) return Status::success();
    Active youngest = std::move(running_.back());
    running_.pop_back();
    youngest.sequence = Sequence();
    youngest.encoded = false;
    waiting_.push_front(std::move(youngest));
  }
}

Status Batcher::schedule() {
  shares_.clear();
  std::int64_t budget = options_.tokens_per_step;
  for (std::size_t i = 0; i < running_.size() && budget > 0; ++i) {
    const std::int64_t begin = running_[i].sequence.length();
    const auto pending = static_cast<std::int64_t>(running_[i].tokens.size()) - begin;
    const std::int64_t count = std::min({pending, budget, part_max_});
    bool reserved = false;
    auto status = reserve_or_preempt(i, begin + count, reserved);
    if (!status) return status;
    if (!reserved) {
      // Alone and still no room: this is all the cache holds.
      if (i == 0 && running_.size() == 1) {
        events_.push_back({running_[i].id, -1, FinishReason::kCache, {}});
        running_.pop_back();
      }
      break;
    }
    shares_.push_back({i, count, -1});
    budget -= count;
  }
  return Status::success();
}

Result<std::span<const TokenEvent>> Batcher::step(const RunOptions& options) {
  events_.clear();
  admit();
  if (auto status = schedule(); !status) return status.error();
  if (!shares_.empty()) {
    if (auto status = encode_sources(options); !status) return status.error();
    if (auto status = run_step(options); !status) return status.error();
    finish_step();
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
  return session_->run(inputs_.tensors(), outputs_, options);
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

void Batcher::finish_step() {
  const auto width = static_cast<std::size_t>(model_.vocabulary);
  for (const Share& share : shares_) {
    Active& active = running_[share.active];
    pool_->commit(active.sequence, active.sequence.length() + share.count);
    if (share.row < 0) continue;
    const float* all = outputs_[model_.contract().logits].data<float>();
    const std::span<const float> logits(all + static_cast<std::size_t>(share.row) * width, width);
    const auto at = static_cast<std::size_t>(active.generated);
    const bool forced = at < active.request.forced.size();
    const TokenId token =
        forced ? active.request.forced[at] : active.sampler.sample(logits, active.tokens);
    active.tokens.push_back(token);
    ++active.generated;
    events_.push_back({active.id, token, check_finished(active, token), logits});
  }
  std::erase_if(running_, [&](const Active& active) {
    return std::any_of(events_.begin(), events_.end(), [&](const TokenEvent& event) {
      return event.request == active.id && event.finish != FinishReason::kNone;
    });
  });
}

}  // namespace polaris
