#include "text/grammar/rules.h"

#include <algorithm>
#include <utility>

namespace polaris::grammar {

ExprId Rules::add(Expr expr, std::span<const ExprId> parts) {
  if (exprs_.size() + children_.size() + parts.size() + ranges_ >= Limits::kExprs) {
    too_large_ = "parts of its rules";
  }
  std::uint32_t depth = 0;
  for (ExprId part : parts) depth = std::max(depth, depths_[part] + 1);
  // Each group is a sequence in a choice.
  if (depth > 4 * Limits::kDepth) too_large_ = "depth";
  if (!too_large_.empty() && !exprs_.empty()) return 0;
  if (!parts.empty()) expr.first = static_cast<std::uint32_t>(children_.size());
  expr.count = static_cast<std::uint32_t>(parts.size());
  children_.insert(children_.end(), parts.begin(), parts.end());
  exprs_.push_back(expr);
  depths_.push_back(depth);
  return static_cast<ExprId>(exprs_.size() - 1);
}

ExprId Rules::text(std::string_view bytes) {
  if (!too_large_.empty() && !exprs_.empty()) return 0;
  texts_.emplace_back(bytes);
  return add({Expr::Kind::kText, static_cast<std::uint32_t>(texts_.size() - 1)}, {});
}

ExprId Rules::set(CharRanges ranges) {
  if (!too_large_.empty() && !exprs_.empty()) return 0;
  ranges_ += ranges.size();
  sets_.push_back(normalized(std::move(ranges)));
  return add({Expr::Kind::kSet, static_cast<std::uint32_t>(sets_.size() - 1)}, {});
}

ExprId Rules::rule(RuleId rule) { return add({Expr::Kind::kRule, rule}, {}); }

ExprId Rules::bytes(ByteAutomaton automaton) {
  if (!too_large_.empty() && !exprs_.empty()) return 0;
  ranges_ += automaton.steps.size();
  automata_.push_back(std::move(automaton));
  return add({Expr::Kind::kBytes, static_cast<std::uint32_t>(automata_.size() - 1)}, {});
}

ExprId Rules::sequence(std::span<const ExprId> parts) {
  if (parts.size() == 1) return parts[0];
  return add({Expr::Kind::kSequence}, parts);
}

ExprId Rules::choice(std::span<const ExprId> parts) {
  if (parts.size() == 1) return parts[0];
  return add({Expr::Kind::kChoice}, parts);
}

ExprId Rules::repeat(ExprId part, std::uint32_t min, std::uint32_t max) {
  return add({.kind = Expr::Kind::kRepeat, .min = min, .max = max}, std::span(&part, 1));
}

RuleId Rules::declare(std::string name) {
  rules_.push_back({std::move(name)});
  return static_cast<RuleId>(rules_.size() - 1);
}

void Rules::define(RuleId rule, ExprId body) { rules_[rule].body = body; }

Status Rules::status() const {
  if (too_large_.empty()) return Status::success();
  return Error::exhausted("[grammar] " + std::string(too_large_) + ", got more than " +
                          std::to_string(too_large_ == "depth" ? Limits::kDepth : Limits::kExprs));
}

}  // namespace polaris::grammar
