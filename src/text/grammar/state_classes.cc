#include "text/grammar/state_classes.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

namespace polaris::grammar {
namespace {

/// A step as it is compared: bytes, or a call, and where to.
struct Mark {
  std::uint64_t what = 0;
  std::uint32_t target = 0;  // a class
  friend bool operator==(const Mark&, const Mark&) = default;
  friend auto operator<=>(const Mark&, const Mark&) = default;
};

struct MarksHash {
  std::size_t operator()(const std::vector<Mark>& marks) const {
    std::uint64_t hash = 0x9E3779B97F4A7C15u;
    for (const Mark& mark : marks) {
      hash = (hash ^ mark.what ^ (std::uint64_t{mark.target} << 32)) * 0xFF51AFD7ED558CCDu;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

constexpr std::uint64_t kCallMark = std::uint64_t{1} << 32;
constexpr std::uint64_t kEndMark = std::uint64_t{1} << 33;

class Rounds {
 public:
  explicit Rounds(const Grammar& grammar)
      : grammar_(grammar), classes_(grammar.states(), 0), to_end_(grammar.states(), 0) {}

  /// States that are stood at together, since a call between them may be empty. False where they
  /// are too many.
  bool find_passed_over() {
    for (StateId state = 0; state < classes_.size(); ++state) {
      std::vector<StateId> found{state};
      for (std::size_t i = 0; i < found.size(); ++i) {
        for (const CallStep& step : grammar_.call_steps(found[i])) {
          if (!grammar_.rule(step.rule).may_be_empty) continue;
          if (std::find(found.begin(), found.end(), step.target) == found.end()) {
            found.push_back(step.target);
          }
        }
        if (found.size() > kPassedMax) return false;
      }
      if (found.size() > 1) passed_over_[state].assign(found.begin() + 1, found.end());
    }
    return true;
  }

  /// From states alike for n bytes to those alike for one more. Each is a bound that holds, however
  /// many rounds there are.
  void run() {
    std::vector<std::uint32_t> classes(classes_.size());
    std::vector<std::uint8_t> to_end(to_end_.size());
    std::unordered_map<std::vector<Mark>, std::uint32_t, MarksHash> numbers;
    std::vector<Mark> marks;
    for (StateId state = 0; state < classes.size(); ++state) {
      marks.clear();
      std::uint32_t least = kFar;
      note(state, marks, least);
      const auto passed = passed_over_.find(state);
      if (passed != passed_over_.end()) {
        for (const StateId other : passed->second) note(other, marks, least);
      }
      std::sort(marks.begin(), marks.end());
      marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
      classes[state] =
          numbers.try_emplace(marks, static_cast<std::uint32_t>(numbers.size())).first->second;
      to_end[state] = static_cast<std::uint8_t>(least);
    }
    classes_ = std::move(classes);
    to_end_ = std::move(to_end);
  }

  const std::vector<std::uint32_t>& classes() const { return classes_; }
  const std::vector<std::uint8_t>& to_end() const { return to_end_; }

 private:
  static constexpr std::uint32_t kFar = StateClasses::kDepths.back();
  static constexpr std::size_t kPassedMax = 64;

  void note(StateId state, std::vector<Mark>& marks, std::uint32_t& least) const {
    const auto reach = [&](std::uint32_t bytes) { least = std::min(least, bytes); };
    if (grammar_.ends(state)) {
      marks.push_back({kEndMark, 0});
      reach(0);
    }
    for (const ByteStep& step : grammar_.byte_steps(state)) {
      marks.push_back({std::uint64_t{step.first} << 8 | step.last, classes_[step.target]});
      reach(1u + to_end_[step.target]);
    }
    for (const CallStep& step : grammar_.call_steps(state)) {
      marks.push_back({kCallMark | step.rule, classes_[step.target]});
      // What may be empty is passed over too, so a call of it is of one byte at least.
      const std::uint32_t inside = to_end_[grammar_.rule(step.rule).start];
      reach(std::max(1u, inside) + to_end_[step.target]);
    }
  }

  const Grammar& grammar_;
  std::vector<std::uint32_t> classes_;
  std::vector<std::uint8_t> to_end_;
  std::unordered_map<StateId, std::vector<StateId>> passed_over_;
};

}  // namespace

StateClasses::StateClasses(const Grammar& grammar) {
  std::size_t steps = 0;
  for (StateId state = 0; state < grammar.states(); ++state) {
    steps += grammar.byte_steps(state).size() + grammar.call_steps(state).size();
  }
  if (grammar.states() > kStatesMax || steps > kStepsMax) return;
  Rounds rounds(grammar);
  if (!rounds.find_passed_over()) return;
  std::uint32_t done = 0;
  for (std::size_t level = 0; level < kDepths.size(); ++level) {
    for (; done < kDepths[level]; ++done) rounds.run();
    classes_[level] = rounds.classes();
  }
  to_end_ = rounds.to_end();
}

}  // namespace polaris::grammar
