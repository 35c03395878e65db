#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/grammar/byte_automaton.h"
#include "text/grammar/char_ranges.h"

namespace polaris::grammar {

using ExprId = std::uint32_t;
using RuleId = std::uint32_t;
inline constexpr std::uint32_t kMany = UINT32_MAX;

struct Limits {
  static constexpr std::size_t kTextBytes = 1 << 20;    // of a grammar or a schema
  static constexpr std::size_t kExprs = 1 << 20;        // all there are
  static constexpr std::uint32_t kDepth = 256;          // of groups, and of alternatives in groups
  static constexpr std::uint32_t kRepeats = 1 << 16;    // what {m,n} may say
  static constexpr std::size_t kStates = 1 << 19;       // of the automaton
  static constexpr std::size_t kTransitions = 1 << 20;  // of the automaton
};

struct Expr {
  enum class Kind : std::uint8_t { kText, kSet, kRule, kBytes, kSequence, kChoice, kRepeat };
  Kind kind = Kind::kSequence;
  std::uint32_t first = 0;  // of a text, a set, a rule, bytes; else a place of children
  std::uint32_t count = 0;  // of children
  std::uint32_t min = 0;    // kRepeat
  std::uint32_t max = 0;    // kRepeat; kMany: without end
};

/// A grammar as it is written: named rules over texts, sets of characters, sequences, choices and
/// repeats. What becomes too large stops growing, and status() tells.
class Rules {
 public:
  ExprId empty() { return sequence({}); }
  /// Bytes that stand as they are: UTF-8.
  ExprId text(std::string_view bytes);
  /// One character of the ranges.
  ExprId set(CharRanges ranges);
  ExprId rule(RuleId rule);
  /// Texts of an automaton.
  ExprId bytes(ByteAutomaton automaton);
  ExprId sequence(std::span<const ExprId> parts);
  ExprId choice(std::span<const ExprId> parts);
  ExprId repeat(ExprId part, std::uint32_t min, std::uint32_t max);
  ExprId sequence(std::initializer_list<ExprId> parts) { return sequence(std::span(parts)); }
  ExprId choice(std::initializer_list<ExprId> parts) { return choice(std::span(parts)); }

  /// A rule that is not defined yet.
  RuleId declare(std::string name);
  void define(RuleId rule, ExprId body);
  bool defined(RuleId rule) const { return rules_[rule].body != kMany; }

  /// Errors: exhausted, where something became too large.
  Status status() const;

  std::size_t exprs() const { return exprs_.size(); }
  std::size_t rules() const { return rules_.size(); }
  const Expr& expr(ExprId id) const { return exprs_[id]; }
  std::span<const ExprId> parts(const Expr& e) const {
    if (e.count == 0) return {};  // `first` may be where a text stands
    return std::span(children_).subspan(e.first, e.count);
  }
  const std::string& text_of(const Expr& e) const { return texts_[e.first]; }
  const CharRanges& set_of(const Expr& e) const { return sets_[e.first]; }
  const ByteAutomaton& bytes_of(const Expr& e) const { return automata_[e.first]; }
  const std::string& name(RuleId rule) const { return rules_[rule].name; }
  ExprId body(RuleId rule) const { return rules_[rule].body; }

 private:
  struct Rule {
    std::string name;
    ExprId body = kMany;
  };
  ExprId add(Expr expr, std::span<const ExprId> parts);
  std::vector<Expr> exprs_;
  std::vector<std::uint32_t> depths_;
  std::vector<ExprId> children_;
  std::vector<std::string> texts_;
  std::vector<CharRanges> sets_;
  std::vector<ByteAutomaton> automata_;
  std::vector<Rule> rules_;
  std::size_t ranges_ = 0;  // and steps of automata
  std::string_view too_large_;
};

}  // namespace polaris::grammar
