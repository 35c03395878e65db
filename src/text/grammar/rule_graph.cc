#include "text/grammar/rule_graph.h"

#include <algorithm>

namespace polaris::grammar {
namespace {

/// Where the entries of each state begin in a list that is sorted by `from`.
template <class Entry>
std::vector<std::uint32_t> sort_by_state(std::vector<Entry>& entries, std::uint32_t states) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.from < b.from; });
  std::vector<std::uint32_t> begins(states + 1, 0);
  for (const Entry& e : entries) ++begins[e.from + 1];
  for (std::uint32_t s = 0; s < states; ++s) begins[s + 1] += begins[s];
  return begins;
}

}  // namespace

RuleGraph::Finished RuleGraph::finish(std::uint32_t end, bool not_empty,
                                      std::size_t steps_max) const {
  std::vector<Step> steps = steps_;
  std::vector<Free> free = free_;
  const auto step_begins = sort_by_state(steps, states_);
  const auto free_begins = sort_by_state(free, states_);

  Finished out;
  constexpr std::uint32_t kNone = UINT32_MAX;
  std::vector<std::uint32_t> numbers(states_, kNone);  // of states that steps lead to
  std::vector<std::uint32_t> seen(states_, kNone);     // by whom last
  std::vector<std::uint32_t> order;                    // states by their number
  std::vector<std::uint32_t> way;
  const auto number_of = [&](std::uint32_t state) {
    if (numbers[state] == kNone) {
      numbers[state] = static_cast<std::uint32_t>(order.size());
      order.push_back(state);
      out.ends.push_back(false);
    }
    return numbers[state];
  };
  // A beginning that nothing leads back to is another state than the one that may be come back to.
  order.push_back(0);
  out.ends.push_back(false);
  for (std::uint32_t number = 0; number < order.size(); ++number) {
    way.assign(1, order[number]);
    seen[order[number]] = number;
    while (!way.empty()) {
      const std::uint32_t state = way.back();
      way.pop_back();
      if (state == end) out.ends[number] = number > 0 || !not_empty;
      for (std::uint32_t i = step_begins[state]; i < step_begins[state + 1]; ++i) {
        Step step = steps[i];
        step.from = number;
        step.target = number_of(step.target);
        out.steps.push_back(step);
        if (out.steps.size() > steps_max) return out;
      }
      for (std::uint32_t i = free_begins[state]; i < free_begins[state + 1]; ++i) {
        const std::uint32_t target = free[i].target;
        if (seen[target] == number) continue;
        seen[target] = number;
        way.push_back(target);
      }
    }
  }
  return out;
}

}  // namespace polaris::grammar
