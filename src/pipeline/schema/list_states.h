#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/schema/schema_term.h"

namespace polaris::schema {

/// How far a list is by what is counted of its elements, and what may come next. State 0 is before
/// the first element, and nothing leads to it.
class ListStates {
 public:
  using Counted = std::vector<std::uint64_t>;
  struct Step {
    Terms terms;                       // that the next element keeps,
    std::string word = {};             // or that it is: null, true or false,
    std::optional<NodeId> value = {};  // or a value of the schema
    std::size_t target = 0;
    bool is_value() const { return !word.empty() || value.has_value(); }
  };

  std::size_t add(const Counted& counted);
  void add_step(std::size_t state, Step step);
  void set_may_end(std::size_t state, bool may_end) { states_[state].may_end = may_end; }
  bool is_full() const { return states_.size() > kStatesMax || steps_ > kStepsMax; }
  /// Takes out what no end is reached from.
  void trim();

  bool empty() const { return states_.empty(); }
  std::size_t size() const { return states_.size(); }
  const Counted& counted(std::size_t state) const { return states_[state].counted; }
  bool may_end(std::size_t state) const { return states_[state].may_end; }
  const std::vector<Step>& steps(std::size_t state) const { return states_[state].steps; }

 private:
  static constexpr std::size_t kStatesMax = 4096;
  static constexpr std::size_t kStepsMax = 1 << 16;
  struct State {
    Counted counted;
    std::vector<Step> steps;
    bool may_end = false;
  };
  std::vector<State> states_;
  std::map<Counted, std::size_t> numbers_;
  std::size_t steps_ = 0;
};

}  // namespace polaris::schema
