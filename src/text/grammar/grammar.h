#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/grammar/rules.h"

namespace polaris::grammar {

using StateId = std::uint32_t;

/// Classes of bytes that lead on: all bytes of a class lead alike everywhere.
struct ByteStep {
  std::uint8_t first = 0;
  std::uint8_t last = 0;
  StateId target = 0;
};
/// What a rule matches leads on.
struct CallStep {
  RuleId rule = 0;
  StateId target = 0;
};

/// A grammar as an automaton of bytes for each rule, which call each other. Immutable, thread-safe.
class Grammar {
 public:
  /// Errors: invalid, with the rule's name (it begins with itself; no text ends it); exhausted
  /// (larger than Limits).
  static Result<std::shared_ptr<const Grammar>> compile(const Rules& rules, RuleId root);
  /// Of GBNF, whose errors it also has.
  static Result<std::shared_ptr<const Grammar>> parse(std::string_view gbnf);

  struct Rule {
    StateId start = 0;
    std::uint32_t rank = 0;  // a rule comes before those that it may begin with
    bool may_be_empty = false;
  };
  struct State {
    std::uint32_t bytes = 0;  // where its steps begin; they end where the next state's do
    std::uint32_t calls = 0;
    bool ends = false;  // its rule may end here
  };

  RuleId root() const { return root_; }
  const Rule& rule(RuleId id) const { return rules_[id]; }
  std::size_t rules() const { return rules_.size(); }
  std::size_t states() const { return states_.size() - 1; }
  bool ends(StateId s) const { return states_[s].ends; }
  std::span<const ByteStep> byte_steps(StateId s) const {
    return std::span(bytes_).subspan(states_[s].bytes, states_[s + 1].bytes - states_[s].bytes);
  }
  std::span<const CallStep> call_steps(StateId s) const {
    return std::span(calls_).subspan(states_[s].calls, states_[s + 1].calls - states_[s].calls);
  }
  /// Whether nothing follows in the rule.
  bool only_ends(StateId s) const {
    return states_[s].ends && byte_steps(s).empty() && call_steps(s).empty();
  }
  std::uint8_t class_of(std::uint8_t byte) const { return classes_[byte]; }
  std::uint32_t classes() const { return class_count_; }

 private:
  friend class Compiler;
  std::vector<Rule> rules_;
  std::vector<State> states_;  // and one more, where the last one's steps end
  std::vector<ByteStep> bytes_;
  std::vector<CallStep> calls_;
  std::array<std::uint8_t, 256> classes_{};
  std::uint32_t class_count_ = 1;
  RuleId root_ = 0;
};

}  // namespace polaris::grammar
