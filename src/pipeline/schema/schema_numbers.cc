// Numbers: their bounds alone, or what else they must keep, met in one automaton.
#include <algorithm>
#include <utility>

#include "pipeline/schema/schema_compiler.h"
#include "text/grammar/multiples.h"

namespace polaris::schema {
namespace {

using grammar::Demand;
using grammar::ExprId;

/// A grammar of one expression that `make` gives, or of nothing.
template <class Make>
Result<std::shared_ptr<const grammar::Grammar>> grammar_of(Make&& make) {
  grammar::Rules rules;
  const grammar::RuleId root = rules.declare("number");
  const std::optional<ExprId> body = make(rules);
  if (!body) return std::shared_ptr<const grammar::Grammar>();
  rules.define(root, *body);
  return grammar::Grammar::compile(rules, root);
}

}  // namespace

bool SchemaCompiler::is_plain_number(const Case& c) const {
  const auto is_number = [&](NodeId id) { return tree_.value(id).is(JsonKind::kNumber); };
  const bool fractions_only = (c.kinds & kNumberKinds) == kFractionKind;
  const auto one = grammar::Decimal::parse("1");
  // A step of 1 is the kind of whole numbers.
  const bool steps = std::any_of(c.multiples.begin(), c.multiples.end(), [&](NodeId id) {
    return grammar::Decimal::parse(tree_.value(id).written()) != one;
  });
  return !fractions_only && !steps && c.not_multiples.empty() &&
         std::none_of(c.not_values.begin(), c.not_values.end(), is_number);
}

/// Those that keep more than bounds, without exponent.
const SchemaCompiler::Met& SchemaCompiler::met_numbers(const Case& c) {
  std::vector<std::string> key{"number", std::to_string(c.kinds & kNumberKinds)};
  for (const auto* bound : {&c.numbers.low, &c.numbers.high}) {
    key.push_back(*bound ? (*bound)->text() : "");
  }
  key.push_back(std::string(c.numbers.without_low ? "x" : "") +
                (c.numbers.without_high ? "y" : ""));
  for (const auto* ids : {&c.multiples, &c.not_multiples, &c.not_values}) {
    key.emplace_back("/");
    for (const NodeId id : *ids) key.push_back(std::to_string(id));
  }
  const auto known = met_.find(key);
  if (known != met_.end()) return known->second;
  std::vector<Demand> demands;
  const auto demand = [&](Result<std::shared_ptr<const grammar::Grammar>> made, bool wanted) {
    if (!made) return fail(made.error());
    if (*made) {
      demands.push_back({made.take(), wanted});
    } else if (wanted) {
      return false;
    }
    return true;
  };
  const auto multiples = [&](NodeId id, const grammar::Decimal& step, bool wanted) {
    auto made = grammar::multiples_of(step);
    if (!made) {
      return fail(id, ErrorCode::kUnsupported, "got a number that takes too many remainders");
    }
    return demand(grammar_of([&](grammar::Rules& rules) {
                    return std::optional(rules.bytes(*std::move(made)));
                  }),
                  wanted);
  };
  const bool whole = (c.kinds & kFractionKind) == 0;
  bool some = demand(grammar_of([&](grammar::Rules& rules) {
                       return whole ? grammar::whole_numbers(rules, c.numbers)
                                    : grammar::plain_numbers(rules, c.numbers);
                     }),
                     true);
  if ((c.kinds & kWholeKind) == 0)
    some = some && multiples(at_, *grammar::Decimal::parse("1"), false);
  for (const auto& [ids, wanted] : {std::pair(&c.multiples, true), {&c.not_multiples, false}}) {
    for (const NodeId id : *ids) {
      some = some && multiples(id, *grammar::Decimal::parse(tree_.value(id).written()), wanted);
    }
  }
  for (const NodeId id : c.not_values) {
    if (!some || !tree_.value(id).is(JsonKind::kNumber)) continue;
    const auto number = grammar::Decimal::parse(tree_.value(id).written());
    if (!number) {
      some = fail(id, ErrorCode::kExhausted, "got a number of too many digits");
      break;
    }
    some = demand(grammar_of([&](grammar::Rules& rules) {
                    const auto same = grammar::plain_numbers(rules, {number, number, false, false});
                    if (!number->is_zero()) return same;
                    const ExprId sign = rules.repeat(rules.text("-"), 0, 1);
                    return std::optional(rules.sequence({sign, *same}));
                  }),
                  false);
  }
  return met_.emplace(std::move(key), meet(demands, some)).first->second;
}

bool SchemaCompiler::has_numbers(const Case& c) {
  if ((c.kinds & kNumberKinds) == 0) return false;
  if (!is_plain_number(c)) return met_numbers(c).has_value();
  grammar::Rules scratch;
  if (!c.numbers.low && !c.numbers.high) return true;
  if ((c.kinds & kFractionKind) != 0) return grammar::all_numbers(scratch, c.numbers).has_value();
  return grammar::whole_numbers(scratch, c.numbers).has_value();
}

SchemaCompiler::Expr SchemaCompiler::numbers(const Case& c) {
  if ((c.kinds & kNumberKinds) == 0) return std::nullopt;
  if (!is_plain_number(c)) {
    const Met& met = met_numbers(c);
    return met ? Expr(rules_.bytes(*met)) : std::nullopt;
  }
  if ((c.kinds & kFractionKind) != 0) return grammar::all_numbers(rules_, c.numbers);
  return grammar::whole_numbers(rules_, c.numbers);
}

}  // namespace polaris::schema
