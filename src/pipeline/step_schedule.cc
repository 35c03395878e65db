#include "pipeline/step_schedule.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace polaris {
namespace {

constexpr double kNewest = 0.5;    // weight of the newest measurement
constexpr double kShareMin = 0.1;  // of a step's time that its prompt tokens took, at least

std::size_t size_class(std::int64_t count, std::size_t classes) {
  const auto bits =
      std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(count, 1)) - 1);
  return std::min(static_cast<std::size_t>(bits), classes - 1);
}

void mix(double& average, double measured) {
  average = average > 0 ? average + kNewest * (measured - average) : measured;
}

}  // namespace

std::vector<std::int64_t> plan_step(std::span<const std::int64_t> pending,
                                    const StepLimits& limits) {
  std::vector<std::int64_t> counts(pending.size(), 0);
  std::vector<std::size_t> prompts;
  std::int64_t left = limits.tokens;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    if (pending[i] > 1) prompts.push_back(i);
    if (pending[i] != 1 || left == 0) continue;
    counts[i] = 1;
    --left;
  }
  left = std::min(left, limits.prompt);
  // The shortest first: what they leave is shared again. Of equals the oldest.
  std::stable_sort(prompts.begin(), prompts.end(),
                   [&](std::size_t a, std::size_t b) { return pending[a] < pending[b]; });
  for (std::size_t at = 0; at < prompts.size(); ++at) {
    const auto others = static_cast<std::int64_t>(prompts.size() - at);
    const std::int64_t part = (left + others - 1) / others;
    std::int64_t& count = counts[prompts[at]];
    count = std::min({part, pending[prompts[at]], limits.sequence});
    left -= count;
  }
  return counts;
}

double StepTimes::decode_ms(std::int64_t decoding) const {
  if (decoding == 0) return 0;
  for (std::size_t i = size_class(decoding, decode_ms_.size()) + 1; i-- > 0;) {
    if (decode_ms_[i] > 0) return decode_ms_[i];
  }
  return 0;
}

void StepTimes::note(std::int64_t decoding, std::int64_t prompt, double ms) {
  if (!(ms > 0) || !std::isfinite(ms)) return;
  if (prompt == 0) {
    if (decoding > 0) mix(decode_ms_[size_class(decoding, decode_ms_.size())], ms);
    return;
  }
  const double of_prompt = std::max(ms - decode_ms(decoding), kShareMin * ms);
  mix(prompt_token_ms_, of_prompt / static_cast<double>(prompt));
}

double StepTimes::expected_ms(std::int64_t decoding, std::int64_t prompt) const {
  if (prompt == 0) return decode_ms(decoding);
  if (prompt_token_ms_ == 0) return 0;
  return decode_ms(decoding) + prompt_token_ms_ * static_cast<double>(prompt);
}

std::int64_t StepTimes::chunk(std::int64_t decoding, double budget_ms, std::int64_t most) const {
  std::int64_t count = kChunkFirst;
  if (prompt_token_ms_ > 0) {
    const double room = (budget_ms - decode_ms(decoding)) / prompt_token_ms_;
    count = static_cast<std::int64_t>(std::clamp(room, 0.0, static_cast<double>(most)));
  }
  count = std::min(count, most);
  const auto all = static_cast<std::uint64_t>(decoding + count);
  const auto whole = static_cast<std::int64_t>(std::bit_floor(all)) - decoding;
  if (whole >= kChunkMin) count = whole;
  return std::min(std::max(count, kChunkMin), most);
}

}  // namespace polaris
