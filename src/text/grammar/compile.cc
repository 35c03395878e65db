#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/strings.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/grammar.h"
#include "text/grammar/nullable.h"
#include "text/grammar/rule_graph.h"

namespace polaris::grammar {

/// Makes the automaton rule by rule, as they are called, and then looks at the whole.
class Compiler {
 public:
  explicit Compiler(const Rules& rules) : rules_(rules), nullable_(find_nullable(rules)) {}

  Result<std::shared_ptr<const Grammar>> run(RuleId root) {
    out_->root_ = called(rules_.body(root), false, rules_.name(root));
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (auto status = make_rule(static_cast<RuleId>(i)); !status) return status.error();
    }
    out_->states_.push_back({static_cast<std::uint32_t>(out_->bytes_.size()),
                             static_cast<std::uint32_t>(out_->calls_.size()), false});
    if (auto status = check_ends(); !status) return status.error();
    if (auto status = rank_rules(); !status) return status.error();
    make_classes();
    return std::shared_ptr<const Grammar>(std::move(out_));
  }

 private:
  struct Part {  // what becomes a rule of its own
    ExprId body = 0;
    bool not_empty = false;
    std::string name;
  };

  RuleId called(ExprId body, bool not_empty, const std::string& name) {
    const auto [at, fresh] =
        numbers_.try_emplace({body, not_empty}, static_cast<RuleId>(parts_.size()));
    if (fresh) parts_.push_back({body, not_empty, name});
    return at->second;
  }

  Error too_large(const std::string& what, std::size_t most) const {
    return Error::exhausted("[grammar] " + name_ + ": " + what + ", got more than " +
                            std::to_string(most) + " with it");
  }
  static std::string quoted(const std::string& name) { return "rule '" + printable(name) + "'"; }

  Status make_rule(RuleId id) {
    const Part part = parts_[id];
    name_ = quoted(part.name);
    rule_ = part.name;
    graph_ = RuleGraph();
    tails_.clear();
    const std::uint32_t end = build(part.body, 0);
    const std::size_t steps_max =
        Limits::kTransitions -
        std::min(Limits::kTransitions, out_->bytes_.size() + out_->calls_.size());
    if (full() || graph_.states() > Limits::kStates) return too_large("states", Limits::kStates);
    const auto made = graph_.finish(end, part.not_empty, steps_max);
    if (made.steps.size() > steps_max) return too_large("transitions", Limits::kTransitions);
    const auto base = static_cast<StateId>(out_->states_.size());
    if (base + made.ends.size() > Limits::kStates) return too_large("states", Limits::kStates);
    std::size_t at = 0;
    for (std::uint32_t s = 0; s < made.ends.size(); ++s) {
      out_->states_.push_back({static_cast<std::uint32_t>(out_->bytes_.size()),
                               static_cast<std::uint32_t>(out_->calls_.size()), made.ends[s]});
      for (; at < made.steps.size() && made.steps[at].from == s; ++at) {
        const RuleGraph::Step& step = made.steps[at];
        if (step.rule == kMany) {
          out_->bytes_.push_back({step.first, step.last, base + step.target});
        } else {
          out_->calls_.push_back({step.rule, base + step.target});
        }
      }
    }
    out_->rules_.push_back({base, 0, !part.not_empty && nullable_[part.body]});
    return Status::success();
  }

  bool full() const {
    return graph_.states() > Limits::kStates || graph_.steps() > Limits::kTransitions;
  }

  /// Where `e` ends when it begins at `from`.
  std::uint32_t build(ExprId id, std::uint32_t from) {
    const Expr& e = rules_.expr(id);
    if (full()) return from;
    switch (e.kind) {
      case Expr::Kind::kText:
        for (const char c : rules_.text_of(e)) {
          const std::uint32_t next = graph_.add_state();
          const auto byte = static_cast<std::uint8_t>(c);
          graph_.add_bytes(from, byte, byte, next);
          from = next;
        }
        return from;
      case Expr::Kind::kSet: return build_set(rules_.set_of(e), from);
      case Expr::Kind::kRule:
        return build_call(called(rules_.body(e.first), false, rules_.name(e.first)), from);
      case Expr::Kind::kBytes: return build_bytes(rules_.bytes_of(e), from);
      case Expr::Kind::kSequence:
        for (ExprId part : rules_.parts(e)) from = build(part, from);
        return from;
      case Expr::Kind::kChoice: {
        const std::uint32_t end = graph_.add_state();
        for (ExprId part : rules_.parts(e)) graph_.add_free(build(part, from), end);
        return end;
      }
      case Expr::Kind::kRepeat: return build_repeat(rules_.parts(e)[0], e.min, e.max, from);
    }
    return from;
  }

  std::uint32_t build_call(RuleId rule, std::uint32_t from) {
    const std::uint32_t end = graph_.add_state();
    graph_.add_call(from, rule, end);
    return end;
  }

  std::uint32_t build_bytes(const ByteAutomaton& automaton, std::uint32_t from) {
    const std::uint32_t first = graph_.states();
    for (std::size_t i = 0; i < automaton.ends.size() && !full(); ++i) graph_.add_state();
    const std::uint32_t end = graph_.add_state();
    graph_.add_free(from, first);
    for (const ByteAutomaton::Step& step : automaton.steps) {
      if (full()) break;
      graph_.add_bytes(first + step.from, step.first, step.last, first + step.target);
    }
    for (std::uint32_t i = 0; i < automaton.ends.size() && !full(); ++i) {
      if (automaton.ends[i]) graph_.add_free(first + i, end);
    }
    return end;
  }

  /// Sequences that end alike share their ends.
  std::uint32_t build_set(const CharRanges& ranges, std::uint32_t from) {
    const std::uint32_t end = graph_.add_state();
    tails_.clear();
    for (const ByteSequence& sequence : utf8_sequences(ranges)) {
      if (full()) break;
      std::uint32_t target = end;
      for (int i = sequence.length - 1; i > 0; --i) {
        const auto [first, last] = sequence.bytes[i];
        const auto [at, fresh] = tails_.try_emplace({first, last, target}, 0);
        if (fresh) {
          at->second = graph_.add_state();
          graph_.add_bytes(at->second, first, last, target);
        }
        target = at->second;
      }
      graph_.add_bytes(from, sequence.bytes[0].first, sequence.bytes[0].last, target);
    }
    return end;
  }

  std::uint32_t build_loop(ExprId part, std::uint32_t least, std::uint32_t from) {
    const std::uint32_t loop = graph_.add_state();
    graph_.add_free(from, loop);
    const std::uint32_t end = build(part, loop);
    graph_.add_free(end, loop);
    return least == 0 ? loop : end;
  }

  std::uint32_t build_repeat(ExprId part, std::uint32_t min, std::uint32_t max,
                             std::uint32_t from) {
    if (max == 0) return from;
    if (min == 1 && max == 1) return build(part, from);
    if (max == kMany && min <= 1) return build_loop(part, min, from);
    if (max == 1) {
      const std::uint32_t end = graph_.add_state();
      graph_.add_free(from, end);
      graph_.add_free(build(part, from), end);
      return end;
    }
    // Many that may be empty are at most so many that are not: no two ways to match a text.
    const bool not_empty = nullable_[part];
    if (not_empty) min = 0;
    const bool here = !not_empty && is_small(part);
    const auto once = [&](std::uint32_t begin) {
      return here ? build(part, begin) : build_call(called(part, not_empty, rule_), begin);
    };
    for (std::uint32_t i = 0; i < min && !full(); ++i) from = once(from);
    if (max == kMany) {
      const std::uint32_t loop = graph_.add_state();
      graph_.add_free(from, loop);
      graph_.add_free(once(loop), loop);
      return loop;
    }
    const std::uint32_t end = graph_.add_state();
    for (std::uint32_t i = min; i < max && !full(); ++i) {
      graph_.add_free(from, end);
      from = once(from);
    }
    graph_.add_free(from, end);
    return end;
  }

  /// Whether a copy of it is no more than a call would be.
  bool is_small(ExprId id) const {
    constexpr std::size_t kSteps = 4;
    const Expr& e = rules_.expr(id);
    switch (e.kind) {
      case Expr::Kind::kText: return rules_.text_of(e).size() <= kSteps;
      case Expr::Kind::kSet: {
        const CharRanges& ranges = rules_.set_of(e);
        return ranges.size() <= kSteps && !ranges.empty() && ranges.back().last < 0x80;
      }
      case Expr::Kind::kRule: return true;
      case Expr::Kind::kBytes: return false;
      case Expr::Kind::kRepeat: return e.min == 1 && e.max == 1 && is_small(rules_.parts(e)[0]);
      case Expr::Kind::kSequence:
      case Expr::Kind::kChoice: break;
    }
    return false;
  }

  /// Every rule must come to an end by some text, or a text that enters it would not end.
  Status check_ends() {
    const std::size_t states = out_->states();
    // Backwards: who steps to a state by bytes, who by a call of a rule.
    struct Back {
      StateId from = 0;
      RuleId rule = kMany;
    };
    std::vector<std::uint32_t> begins(states + 1, 0);
    const auto each_step = [&](auto&& f) {
      for (StateId s = 0; s < states; ++s) {
        for (const ByteStep& step : out_->byte_steps(s)) f(step.target, Back{s, kMany});
        for (const CallStep& step : out_->call_steps(s)) f(step.target, Back{s, step.rule});
      }
    };
    each_step([&](StateId target, Back) { ++begins[target + 1]; });
    for (std::size_t s = 0; s < states; ++s) begins[s + 1] += begins[s];
    std::vector<Back> backs(begins[states]);
    std::vector<std::uint32_t> next(begins.begin(), begins.end() - 1);
    each_step([&](StateId target, Back back) { backs[next[target]++] = back; });

    std::vector<RuleId> starts(states, kMany);
    for (RuleId r = 0; r < out_->rules_.size(); ++r) starts[out_->rules_[r].start] = r;
    std::vector<bool> good(states, false);
    std::vector<bool> rule_good(out_->rules_.size(), false);
    std::vector<std::vector<StateId>> waiting(out_->rules_.size());
    std::vector<StateId> found;
    for (StateId s = 0; s < states; ++s) {
      if (out_->ends(s)) found.push_back(s);
    }
    while (!found.empty()) {
      const StateId s = found.back();
      found.pop_back();
      if (good[s]) continue;
      good[s] = true;
      for (std::uint32_t i = begins[s]; i < begins[s + 1]; ++i) {
        const Back& back = backs[i];
        if (back.rule == kMany || rule_good[back.rule]) {
          found.push_back(back.from);
        } else {
          waiting[back.rule].push_back(back.from);
        }
      }
      if (starts[s] == kMany) continue;
      rule_good[starts[s]] = true;
      auto& waited = waiting[starts[s]];
      found.insert(found.end(), waited.begin(), waited.end());
      waited.clear();
    }
    for (RuleId r = 0; r < out_->rules_.size(); ++r) {
      // Of "" repeated nothing is left that is not empty, which calls nothing.
      if (rule_good[r] || parts_[r].not_empty) continue;
      return Error::invalid("[grammar] " + quoted(parts_[r].name) +
                            " never ends: no text is all of it");
    }
    return Status::success();
  }

  /// The rules that a rule may begin with.
  std::vector<RuleId> first_calls(RuleId rule) const {
    std::set<RuleId> out;
    std::set<StateId> seen{out_->rules_[rule].start};
    std::vector<StateId> way{out_->rules_[rule].start};
    while (!way.empty()) {
      const StateId state = way.back();
      way.pop_back();
      for (const CallStep& step : out_->call_steps(state)) {
        out.insert(step.rule);
        if (out_->rules_[step.rule].may_be_empty && seen.insert(step.target).second) {
          way.push_back(step.target);
        }
      }
    }
    return {out.begin(), out.end()};
  }

  Status rank_rules() {
    // Depth first, without recursion: a rule is done after those that it begins with.
    enum class Mark : std::uint8_t { kNew, kOpen, kDone };
    struct Visit {
      RuleId rule = 0;
      std::vector<RuleId> calls;
      std::size_t next = 0;
    };
    std::vector<Mark> marks(out_->rules_.size(), Mark::kNew);
    auto rank = static_cast<std::uint32_t>(out_->rules_.size());
    for (RuleId root = 0; root < out_->rules_.size(); ++root) {
      if (marks[root] != Mark::kNew) continue;
      std::vector<Visit> way;
      const auto open = [&](RuleId rule) {
        marks[rule] = Mark::kOpen;
        way.push_back({rule, first_calls(rule), 0});
      };
      open(root);
      while (!way.empty()) {
        Visit& top = way.back();
        if (top.next == top.calls.size()) {
          marks[top.rule] = Mark::kDone;
          out_->rules_[top.rule].rank = --rank;
          way.pop_back();
          continue;
        }
        const RuleId call = top.calls[top.next++];
        if (marks[call] == Mark::kOpen) {
          return Error::invalid("[grammar] " + quoted(parts_[call].name) +
                                " may begin with itself (left recursion), wanted something before");
        }
        if (marks[call] == Mark::kNew) open(call);
      }
    }
    return Status::success();
  }

  /// Bytes between two places where some step begins or ends are alike.
  void make_classes() {
    std::array<bool, 257> begins{};
    for (const ByteStep& step : out_->bytes_) begins[step.first] = begins[step.last + 1u] = true;
    std::uint8_t number = 0;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      if (byte > 0 && begins[byte]) ++number;
      out_->classes_[byte] = number;
    }
    out_->class_count_ = number + 1u;
    for (ByteStep& step : out_->bytes_) {
      step.first = out_->classes_[step.first];
      step.last = out_->classes_[step.last];
    }
  }

  const Rules& rules_;
  const std::vector<bool> nullable_;
  std::shared_ptr<Grammar> out_ = std::make_shared<Grammar>();
  std::vector<Part> parts_;
  std::map<std::pair<ExprId, bool>, RuleId> numbers_;
  std::string name_;  // of the rule that is made
  std::string rule_;
  RuleGraph graph_;
  std::map<std::tuple<std::uint8_t, std::uint8_t, std::uint32_t>, std::uint32_t> tails_;
};

Result<std::shared_ptr<const Grammar>> Grammar::compile(const Rules& rules, RuleId root) {
  if (auto status = rules.status(); !status) return status.error();
  return Compiler(rules).run(root);
}

Result<std::shared_ptr<const Grammar>> Grammar::parse(std::string_view gbnf) {
  Rules rules;
  const auto root = read_gbnf(gbnf, rules);
  if (!root) return root.error();
  return compile(rules, *root);
}

}  // namespace polaris::grammar
