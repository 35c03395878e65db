#include "text/grammar/byte_automaton.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "text/grammar/places.h"

namespace polaris::grammar {
namespace {

using Together = std::vector<Place>;  // of each demand

class Meeting {
 public:
  Meeting(std::span<const Demand> demands, std::size_t states_max)
      : demands_(demands), states_max_(states_max) {
    for (const Demand& demand : demands) places_.emplace_back(demand.grammar);
  }

  Result<std::optional<ByteAutomaton>> run() {
    Together start;
    for (Places& places : places_) start.push_back(places.start());
    number_of(start);
    for (std::uint32_t state = 0; state < states_.size(); ++state) {
      follow(state);
      for (Places& places : places_) {
        if (auto status = places.take_status(); !status) return status.error();
      }
      if (states_.size() > states_max_) {
        return Error::exhausted("[grammar] what has to be kept at once, got more than " +
                                std::to_string(states_max_) + " states");
      }
    }
    return trimmed();
  }

 private:
  std::uint32_t number_of(const Together& at) {
    const auto [found, fresh] =
        numbers_.try_emplace(at, static_cast<std::uint32_t>(states_.size()));
    if (fresh) {
      states_.push_back(at);
      bool ends = true;
      for (std::size_t i = 0; i < demands_.size(); ++i) {
        const bool is_one = at[i] != kNowhere && places_[i].may_end(at[i]);
        ends = ends && is_one == demands_[i].wanted;
      }
      made_.ends.push_back(ends);
    }
    return found->second;
  }

  /// Nothing where what is wanted is left.
  std::optional<std::uint32_t> next(const Together& from, std::uint8_t byte) {
    Together to(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      to[i] = from[i] == kNowhere ? kNowhere : places_[i].next(from[i], byte);
      if (to[i] == kNowhere && demands_[i].wanted) return std::nullopt;
    }
    return number_of(to);
  }

  void follow(std::uint32_t state) {
    const Together from = states_[state];
    const std::size_t begin = made_.steps.size();
    std::optional<std::uint32_t> target;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto b = static_cast<std::uint8_t>(byte);
      if (byte == 0 || !alike(b)) target = next(from, b);
      if (!target) continue;
      const bool joined = made_.steps.size() > begin && made_.steps.back().target == *target &&
                          made_.steps.back().last + 1u == byte;
      if (joined) {
        made_.steps.back().last = b;
      } else {
        made_.steps.push_back({state, *target, b, b});
      }
    }
  }

  /// Whether all grammars take a byte as the one before it.
  bool alike(std::uint8_t byte) const {
    return std::all_of(demands_.begin(), demands_.end(), [&](const Demand& demand) {
      const auto before = static_cast<std::uint8_t>(byte - 1);
      return demand.grammar->class_of(byte) == demand.grammar->class_of(before);
    });
  }

  /// Without states that no end is reached from.
  std::optional<ByteAutomaton> trimmed() const {
    std::vector<std::vector<std::uint32_t>> before(states_.size());
    for (const ByteAutomaton::Step& step : made_.steps) before[step.target].push_back(step.from);
    std::vector<bool> good(states_.size(), false);
    std::vector<std::uint32_t> way;
    for (std::uint32_t state = 0; state < states_.size(); ++state) {
      if (made_.ends[state]) way.push_back(state);
    }
    while (!way.empty()) {
      const std::uint32_t state = way.back();
      way.pop_back();
      if (good[state]) continue;
      good[state] = true;
      way.insert(way.end(), before[state].begin(), before[state].end());
    }
    if (!good[0]) return std::nullopt;
    ByteAutomaton out;
    std::vector<std::uint32_t> numbers(states_.size(), 0);
    for (std::uint32_t state = 0; state < states_.size(); ++state) {
      if (!good[state]) continue;
      numbers[state] = static_cast<std::uint32_t>(out.ends.size());
      out.ends.push_back(made_.ends[state]);
    }
    for (ByteAutomaton::Step step : made_.steps) {
      if (!good[step.target] || !good[step.from]) continue;
      step.from = numbers[step.from];
      step.target = numbers[step.target];
      out.steps.push_back(step);
    }
    return out;
  }

  std::span<const Demand> demands_;
  std::size_t states_max_;
  std::vector<Places> places_;
  std::map<Together, std::uint32_t> numbers_;
  std::vector<Together> states_;
  ByteAutomaton made_;
};

}  // namespace

Result<std::optional<ByteAutomaton>> meet(std::span<const Demand> demands, std::size_t states_max) {
  return Meeting(demands, states_max).run();
}

}  // namespace polaris::grammar
