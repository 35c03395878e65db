// Texts: lengths or one pattern alone, or all that they must keep, met in one automaton.
#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "pipeline/schema/schema_compiler.h"
#include "text/grammar/format.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/pattern.h"

namespace polaris::schema {
namespace {

using grammar::Demand;
using grammar::ExprId;
using grammar::kMany;

constexpr std::size_t kStatesMax = 1 << 15;  // of what is met

}  // namespace

SchemaCompiler::Met SchemaCompiler::meet(const std::vector<Demand>& demands, bool some) {
  if (!some || !status_) return std::nullopt;
  auto met = grammar::meet(demands, kStatesMax);
  if (met) return met.take();
  fail(at_, met.error().code(), met.error().message());
  return std::nullopt;
}

/// Texts between quotes that a pattern is found in, whichever node says it.
const SchemaCompiler::GrammarPtr& SchemaCompiler::pattern_grammar(NodeId id,
                                                                  std::string_view pattern) {
  const auto [at, fresh] = grammars_.try_emplace("p" + std::string(pattern));
  if (!fresh) return at->second;
  grammar::Rules rules;
  grammar::JsonText json(rules);
  const grammar::RuleId root = rules.declare("pattern");
  const auto made = grammar::read_pattern(pattern, json);
  if (!made) {
    fail(id, made.error().code(), made.error().message());
    return at->second;
  }
  rules.define(root, (*made).body);
  auto compiled = grammar::Grammar::compile(rules, root);
  if (compiled) {
    at->second = compiled.take();
  } else {
    fail(id, compiled.error().code(), compiled.error().message());
  }
  return at->second;
}

const SchemaCompiler::GrammarPtr& SchemaCompiler::format_grammar(NodeId id) {
  const std::string_view name = tree_.value(id).text().value_or("");
  const auto [at, fresh] = grammars_.try_emplace("f" + std::string(name));
  if (!fresh) return at->second;
  auto compiled = grammar::Grammar::parse(grammar::format_gbnf(name));
  if (compiled) {
    at->second = compiled.take();
  } else {
    fail(id, compiled.error().code(), compiled.error().message());
  }
  return at->second;
}

/// Any text of so many characters.
SchemaCompiler::GrammarPtr SchemaCompiler::length_grammar(std::uint64_t min, std::uint64_t max) {
  grammar::Rules rules;
  grammar::JsonText json(rules);
  const grammar::RuleId root = rules.declare("text");
  rules.define(root, rules.repeat(json.written_character(), count(min, "minLength"),
                                  count(max, "maxLength")));
  auto compiled =
      status_ ? grammar::Grammar::compile(rules, root) : Result<GrammarPtr>(status_.error());
  if (compiled) return compiled.take();
  fail(compiled.error());
  return nullptr;
}

SchemaCompiler::GrammarPtr SchemaCompiler::texts_grammar(const std::vector<std::string>& texts) {
  grammar::Rules rules;
  grammar::JsonText json(rules);
  std::vector<std::string> written;
  for (const std::string& text : texts) {
    const std::string escaped = grammar::JsonText::escaped(text);
    written.push_back(escaped.substr(1, escaped.size() - 2));
  }
  const grammar::RuleId root = rules.declare("texts");
  rules.define(root, json.one_of(std::move(written)));
  auto compiled = grammar::Grammar::compile(rules, root);
  if (compiled) return compiled.take();
  fail(compiled.error());
  return nullptr;
}

/// Adds what a case asks of its texts; false where something failed.
bool SchemaCompiler::demand_texts(const Case& c, std::vector<Demand>& demands) {
  const auto add = [&](const GrammarPtr& grammar, bool wanted) {
    if (grammar) demands.push_back({grammar, wanted});
  };
  add(length_grammar(c.length_min, c.length_max), true);
  const auto pattern = [&](NodeId id) {
    return pattern_grammar(id, tree_.value(id).text().value_or(""));
  };
  for (const NodeId id : c.patterns) add(pattern(id), true);
  for (const NodeId id : c.not_patterns) add(pattern(id), false);
  for (const NodeId id : c.formats) add(format_grammar(id), true);
  for (const NodeId id : c.not_formats) add(format_grammar(id), false);
  std::vector<std::string> others;
  for (const NodeId id : c.not_values) {
    if (const auto text = tree_.value(id).text()) others.emplace_back(*text);
  }
  if (!others.empty()) add(texts_grammar(others), false);
  return status_.ok();
}

/// Whether lengths are all that is asked, or one pattern or format is.
bool SchemaCompiler::is_plain_text(const Case& c) const {
  const bool bounded = c.length_min > 0 || c.length_max != UINT64_MAX;
  const bool other = std::any_of(c.not_values.begin(), c.not_values.end(),
                                 [&](NodeId id) { return tree_.value(id).is(JsonKind::kText); });
  return !other && c.not_patterns.empty() && c.not_formats.empty() &&
         c.patterns.size() + c.formats.size() <= (bounded ? 0u : 1u);
}

const SchemaCompiler::Met& SchemaCompiler::met_texts(const Case& c) {
  std::vector<std::string> key{"text", std::to_string(c.length_min), std::to_string(c.length_max)};
  for (const auto* ids :
       {&c.patterns, &c.not_patterns, &c.formats, &c.not_formats, &c.not_values}) {
    key.emplace_back("/");
    for (const NodeId id : *ids) key.push_back(std::to_string(id));
  }
  const auto known = met_.find(key);
  if (known != met_.end()) return known->second;
  std::vector<Demand> demands;
  const bool some = demand_texts(c, demands);
  return met_.emplace(std::move(key), meet(demands, some)).first->second;
}

bool SchemaCompiler::has_texts(const Case& c) {
  return is_plain_text(c) || met_texts(c).has_value();
}

SchemaCompiler::Expr SchemaCompiler::texts(const Case& c) {
  if (!is_plain_text(c)) {
    const Met& met = met_texts(c);
    return met ? Expr(json_.quoted(rules_.bytes(*met))) : std::nullopt;
  }
  if (!c.formats.empty()) {
    const auto made = grammar::read_gbnf(
        grammar::format_gbnf(tree_.value(c.formats[0]).text().value_or("")), rules_);
    if (!made) fail(made.error());
    return made ? Expr(json_.quoted(rules_.rule(*made))) : std::nullopt;
  }
  if (!c.patterns.empty()) {
    const NodeId id = c.patterns[0];
    const auto made = grammar::read_pattern(tree_.value(id).text().value_or(""), json_);
    if (!made) {
      fail(id, made.error().code(), made.error().message());
      return std::nullopt;
    }
    return json_.quoted((*made).body);
  }
  return json_.quoted(rules_.repeat(json_.any_character(), count(c.length_min, "minLength"),
                                    count(c.length_max, "maxLength")));
}

}  // namespace polaris::schema
