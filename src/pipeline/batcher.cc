#include "pipeline/batcher.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checked.h"

namespace polaris {

std::string_view finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kNone: return "none";
    case FinishReason::kEnd: return "end";
    case FinishReason::kLength: return "length";
    case FinishReason::kContext: return "context";
    case FinishReason::kCache: return "cache";
    case FinishReason::kCancelled: return "cancelled";
  }
  return "none";
}

Batcher::Batcher(LanguageModel model, std::unique_ptr<Session> session,
                 std::shared_ptr<KvPool> pool, const BatcherOptions& options)
    : model_(std::move(model)),
      session_(std::move(session)),
      pool_(std::move(pool)),
      options_(options) {
  // A step is no larger than the model's dims may be.
  options_.tokens_per_step = std::min(options_.tokens_per_step, model_.tokens_max);
  options_.sequences_max = std::min(options_.sequences_max, model_.sequences_max);
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
  const std::int64_t pool_tokens = pool_->page_count() * pool_->page_size();
  const std::int64_t limit = std::min(model_.context_tokens, pool_tokens);
  // The cache holds every token but the last one generated.
  if (prompt > limit) {
    return Error::exhausted("[generate] prompt, got " + std::to_string(prompt) +
                            " tokens, wanted at most " + std::to_string(limit) + " (context " +
                            std::to_string(model_.context_tokens) + ", cache " +
                            std::to_string(pool_tokens) + ")");
  }
  Active active{next_id_++, std::move(request), {}, 0, {}, Sampler({})};
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
    const auto pages = ceil_div(static_cast<std::int64_t>(next.tokens.size()), pool_->page_size());
    // A newcomer must fit whole, or it would push out those already running.
    if (!running_.empty() && pages > pool_->free_pages()) break;
    if (options_.share_prefixes) share_prefix(next);
    if (next.sequence.pages().empty()) next.sequence = pool_->start();
    running_.push_back(std::move(next));
    waiting_.pop_front();
  }
}

void Batcher::share_prefix(Active& active) {
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
    if (length > best_length) {
      best = &other;
      best_length = length;
    }
  }
  // Less than a page saves nothing: it would be copied at once.
  if (best == nullptr || best_length < pool_->page_size()) return;
  active.sequence = pool_->fork(best->sequence, best_length);
  shared_tokens_ += best_length;
}

Status Batcher::reserve_or_preempt(std::size_t index, std::int64_t new_length, bool& reserved) {
  reserved = false;
  while (true) {
    const Status status = pool_->reserve(running_[index].sequence, new_length);
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
    waiting_.push_front(std::move(youngest));
  }
}

Status Batcher::schedule() {
  shares_.clear();
  std::int64_t budget = options_.tokens_per_step;
  for (std::size_t i = 0; i < running_.size() && budget > 0; ++i) {
    const std::int64_t begin = running_[i].sequence.length();
    const auto pending = static_cast<std::int64_t>(running_[i].tokens.size()) - begin;
    const std::int64_t count = std::min(pending, budget);
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
    if (auto status = run_step(options); !status) return status.error();
    finish_step();
  }
  return std::span<const TokenEvent>(events_);
}

Status Batcher::run_step(const RunOptions& options) {
  std::int64_t tokens = 0;
  std::int64_t width = 1;
  std::int64_t rows = 0;
  for (const Share& share : shares_) {
    const Active& active = running_[share.active];
    tokens += share.count;
    width = std::max(width, static_cast<std::int64_t>(active.sequence.pages().size()));
    const bool whole =
        active.sequence.length() + share.count == static_cast<std::int64_t>(active.tokens.size());
    rows += whole ? 1 : 0;
  }
  const StepBuckets buckets{options_.bucket_min, options_.table_width_min, model_.tokens_max,
                            model_.sequences_max, model_.table_width_max};
  auto status = inputs_.begin(tokens, static_cast<std::int64_t>(shares_.size()), width,
                              std::max<std::int64_t>(rows, 1), buckets);
  if (!status) return status;
  for (Share& share : shares_) {
    const Active& active = running_[share.active];
    const std::int32_t row = inputs_.add_sequence(active.sequence);
    std::int32_t last = 0;
    const std::int64_t begin = active.sequence.length();
    for (std::int64_t p = begin; p < begin + share.count; ++p) {
      const TokenId token = active.tokens[static_cast<std::size_t>(p)];
      last = inputs_.add_token(token, p, pool_->slot(active.sequence, p), row);
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
    const float* all = outputs_[0].data<float>();
    const std::span<const float> logits(all + static_cast<std::size_t>(share.row) * width, width);
    const auto at = static_cast<std::size_t>(active.generated);
    const bool forced = at < active.request.forced.size();
    const TokenId token = forced ? active.request.forced[at] : active.sampler.sample(logits);
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
