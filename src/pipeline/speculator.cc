#include "pipeline/speculator.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "pipeline/token_lookup.h"

namespace polaris {
namespace {

constexpr std::int64_t kLookedBack = 64;  // equal tokens that are counted
constexpr std::size_t kModel = DraftState::kKinds - 1;
constexpr double kNewest = 0.25;          // weight of the newest measurement
constexpr std::int64_t kFirstDrafts = 2;  // make plans, and are not measured

/// The more tokens were equal, the likelier they go on equal: powers of two of the least.
std::size_t lookup_kind(std::int64_t length, std::int64_t least) {
  const auto times = static_cast<std::uint64_t>(length / std::max<std::int64_t>(least, 1));
  return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(times)) - 1, kModel - 1);
}

}  // namespace

double Speculator::ms_since(std::int64_t start) const {
  return static_cast<double>(clock_ns_() - start) * 1e-6;
}

void Speculator::look_up(Draft& text) {
  const auto repeat = find_repeat(text.tokens, options_.lookup_tokens, kLookedBack);
  if (!repeat) return;
  copy_repeat(text.tokens, *repeat, text.most, text.drafted);
  text.kind = lookup_kind(repeat->length, options_.lookup_tokens);
}

Status Speculator::propose(std::span<Draft> texts, std::int64_t rows_max,
                           const RunOptions& options) {
  draft_ms_ = 0;
  std::vector<DraftChance> chances;
  for (Draft& text : texts) {
    text.most = std::clamp(text.most, std::int64_t{0}, options_.draft_tokens);
    text.drafted.clear();
    if (options_.lookup_tokens > 0 && text.most > 0) look_up(text);
    DraftChance chance{0, static_cast<std::int64_t>(text.drafted.size()), 0};
    if (text.drafted.empty() && model_ != nullptr && text.most > 0) {
      text.kind = kModel;
      chance.most = std::min(text.most, DraftModel::kCountMax);
      chance.token_ms = token_ms_;
    }
    if (chance.most > 0) chance.chance = text.state->acceptance[text.kind].chance();
    chances.push_back(chance);
  }
  std::vector<std::int64_t> counts;
  if (options_.adaptive) {
    counts = plan_.choose(chances, rows_max);
  } else {
    std::int64_t left = rows_max - static_cast<std::int64_t>(texts.size());
    for (const DraftChance& chance : chances) {
      counts.push_back(std::clamp<std::int64_t>(left, 0, chance.most));
      left -= counts.back();
    }
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto count = static_cast<std::size_t>(counts[i]);
    if (texts[i].drafted.size() > count) texts[i].drafted.resize(count);
  }
  return model_ != nullptr ? write(texts, counts, options) : Status::success();
}

Status Speculator::write(std::span<Draft> texts, std::span<const std::int64_t> counts,
                         const RunOptions& options) {
  std::vector<DraftModel::Job> jobs;
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Draft& text = texts[i];
    if (text.kind != kModel || counts[i] == 0 || !text.drafted.empty()) continue;
    jobs.push_back(
        {&text.state->text, text.sampler, text.tokens, text.before, counts[i], &text.drafted});
    longest = std::max(longest, counts[i]);
  }
  if (jobs.empty()) return Status::success();
  // A text's prompt is read once: that is part of reading the prompt, not of drafting.
  std::vector<DraftModel::Job> fresh;
  for (const DraftModel::Job& job : jobs) {
    if (!job.text->sequence.started()) fresh.push_back(job);
  }
  if (auto status = model_->read(fresh, options); !status) return status;
  const std::int64_t start = clock_ns_();
  if (auto status = model_->read(jobs, options); !status) return status;
  if (auto status = model_->draft(jobs, options); !status) return status;
  if (++drafts_ <= kFirstDrafts) return Status::success();
  draft_ms_ = ms_since(start);
  const double each = draft_ms_ / static_cast<double>(longest);
  token_ms_ += (token_ms_ > 0 ? kNewest : 1) * (each - token_ms_);
  return Status::success();
}

void Speculator::note(std::span<const Draft> texts, std::span<const std::int64_t> taken,
                      double ms) {
  DraftPlan::Step step{static_cast<std::int64_t>(texts.size()), 0, 0, ms + draft_ms_, draft_ms_};
  step.rows = step.tokens = step.texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto drafted = static_cast<std::int64_t>(texts[i].drafted.size());
    step.rows += drafted;
    step.tokens += taken[i];
    if (drafted > 0) {
      const std::int64_t tested = std::min(taken[i] + 1, drafted);
      texts[i].state->acceptance[texts[i].kind].note(tested, taken[i]);
    } else {
      for (Acceptance& acceptance : texts[i].state->acceptance) acceptance.fade();
    }
  }
  plan_.note(step);
}

}  // namespace polaris
