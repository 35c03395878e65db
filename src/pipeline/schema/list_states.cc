#include "pipeline/schema/list_states.h"

#include <algorithm>
#include <utility>

namespace polaris::schema {

std::size_t ListStates::add(const Counted& counted) {
  const auto [at, fresh] = numbers_.try_emplace(counted, states_.size());
  if (fresh) states_.push_back({counted, {}, false});
  return at->second;
}

void ListStates::add_step(std::size_t state, Step step) {
  states_[state].steps.push_back(std::move(step));
  ++steps_;
}

void ListStates::trim() {
  std::vector<std::vector<std::size_t>> before(states_.size());
  std::vector<std::size_t> way;
  for (std::size_t state = 0; state < states_.size(); ++state) {
    for (const Step& step : states_[state].steps) before[step.target].push_back(state);
    if (states_[state].may_end) way.push_back(state);
  }
  std::vector<bool> good(states_.size(), false);
  while (!way.empty()) {
    const std::size_t state = way.back();
    way.pop_back();
    if (good[state]) continue;
    good[state] = true;
    way.insert(way.end(), before[state].begin(), before[state].end());
  }
  std::vector<std::size_t> numbers(states_.size(), 0);
  std::vector<State> kept;
  const bool any = !states_.empty() && good[0];
  for (std::size_t state = 0; any && state < states_.size(); ++state) {
    if (!good[state]) continue;
    numbers[state] = kept.size();
    kept.push_back(std::move(states_[state]));
    std::erase_if(kept.back().steps, [&](const Step& step) { return !good[step.target]; });
  }
  for (State& state : kept) {
    for (Step& step : state.steps) step.target = numbers[step.target];
  }
  states_ = std::move(kept);
}

}  // namespace polaris::schema
