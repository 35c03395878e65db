#include "pipeline/draft_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace polaris {
namespace {

constexpr double kRemembered = 32;  // tokens
constexpr double kFade = 0.98;      // a step
constexpr double kGuess = 1.3;      // what a size takes that was never timed, against half of it

}  // namespace

void Acceptance::note(std::int64_t tested, std::int64_t taken) {
  tested_ += static_cast<double>(tested);
  taken_ += static_cast<double>(taken);
  if (tested_ <= kRemembered) return;
  taken_ *= kRemembered / tested_;
  tested_ = kRemembered;
}

void Acceptance::fade() {
  tested_ *= kFade;
  taken_ *= kFade;
}

void DraftPlan::Cost::note(double value) {
  if (noted > 0) ms[static_cast<std::size_t>(noted - 1) % kTimes] = value;
  ++noted;
}

double DraftPlan::Cost::usual() const {
  const std::int64_t count = std::min(noted - 1, static_cast<std::int64_t>(kTimes));
  if (count <= 0) return 0;
  std::array<double, kTimes> sorted = ms;
  const auto end = sorted.begin() + count;
  std::sort(sorted.begin(), end);
  return sorted[static_cast<std::size_t>((count - 1) / 4)];
}

std::size_t DraftPlan::class_of(std::int64_t rows) {
  const auto bits = std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(rows, 1)) - 1);
  return std::min(static_cast<std::size_t>(bits), kClasses - 1);
}

double DraftPlan::cost(std::int64_t rows) const {
  const std::size_t at = class_of(rows);
  const double measured = costs_[at].usual();
  if (measured > 0 || at == 0) return measured;
  return kGuess * costs_[at - 1].usual();
}

bool DraftPlan::plain_is_new(std::int64_t texts) const {
  const std::size_t at = class_of(texts);
  return costs_[at].usual() > 0 && plain_at_[at] > 0 && steps_ - plain_at_[at] < kPlainEvery;
}

std::vector<std::int64_t> DraftPlan::choose(std::span<const DraftChance> texts,
                                            std::int64_t rows_max) const {
  std::vector<std::int64_t> counts(texts.size(), 0);
  std::vector<std::int64_t> best = counts;
  auto rows = static_cast<std::int64_t>(texts.size());
  if (rows == 0 || !plain_is_new(rows)) return best;
  const double plain = cost(rows);
  auto expected = static_cast<double>(rows);
  double best_rate = expected / plain;
  std::vector<double> gains;  // tokens that the next drafted one of each text brings
  for (const DraftChance& text : texts) gains.push_back(text.most > 0 ? text.chance : 0);
  double draft_ms = 0;
  while (rows < rows_max) {
    const auto next = static_cast<std::size_t>(
        std::distance(gains.begin(), std::max_element(gains.begin(), gains.end())));
    const bool more = gains[next] > 0;
    if (more) {
      ++counts[next];
      ++rows;
      expected += gains[next];
      draft_ms = std::max(draft_ms, static_cast<double>(counts[next]) * texts[next].token_ms);
      gains[next] *= counts[next] < texts[next].most ? texts[next].chance : 0;
    }
    // A step that is not full costs as much as a full one.
    const bool full = std::has_single_bit(static_cast<std::uint64_t>(rows)) || rows == rows_max;
    if (more && !full) continue;
    const double ms = cost(rows);
    if (ms <= 0) break;
    const double rate = expected / (ms + draft_ms);
    const bool allowed = (ms + draft_ms - plain) / plain <= balance_;
    if (rate > best_rate && allowed) {
      best_rate = rate;
      best = counts;
    }
    if (!more) break;
  }
  return best;
}

void DraftPlan::note(const Step& step) {
  if (!(step.ms > 0) || !std::isfinite(step.ms) || step.texts <= 0) return;
  ++steps_;
  const std::size_t at = class_of(step.rows);
  if (step.rows == step.texts) plain_at_[at] = steps_;
  costs_[at].note(step.ms - step.draft_ms);
  const double plain = cost(step.texts);
  if (plain <= 0) return;
  const double worth = static_cast<double>(step.tokens) / static_cast<double>(step.texts);
  balance_ += kLossShare * worth;
  // A step that was interrupted is no fault of drafts.
  const double usual = costs_[at].usual();
  const double ms = usual > 0 ? usual + step.draft_ms : step.ms;
  if (step.rows > step.texts) balance_ += worth - ms / plain;
  balance_ = std::min(balance_, kGainsKept);
}

}  // namespace polaris
