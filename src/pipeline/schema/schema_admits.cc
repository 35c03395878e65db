// Whether values of const and enum fit what else a schema says.
#include <algorithm>

#include "base/strings.h"
#include "pipeline/schema/schema_compiler.h"
#include "pipeline/schema/schema_keywords.h"
#include "text/grammar/format.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/grammar.h"
#include "text/grammar/pattern.h"
#include "text/grammar/places.h"

namespace polaris::schema {
namespace {

std::uint64_t characters(std::string_view text) {
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool within(const grammar::NumberBounds& bounds, const grammar::Decimal& number) {
  const int low = bounds.low ? grammar::compare(number, *bounds.low) : 1;
  const int high = bounds.high ? grammar::compare(number, *bounds.high) : -1;
  return (low > 0 || (low == 0 && !bounds.without_low)) &&
         (high < 0 || (high == 0 && !bounds.without_high));
}

/// Whether the text's JSON is all that a rule takes.
Result<bool> matches(const grammar::Rules& rules, grammar::RuleId root, std::string_view text) {
  const auto made = grammar::Grammar::compile(rules, root);
  if (!made) return made.error();
  grammar::Places places(*made);
  grammar::Place place = places.start();
  for (const char c : grammar::JsonText::escaped(text)) {
    if (place == grammar::kNowhere) break;
    place = places.next(place, static_cast<std::uint8_t>(c));
  }
  if (auto status = places.take_status(); !status) return status.error();
  return place != grammar::kNowhere && places.may_end(place);
}

}  // namespace

unsigned SchemaCompiler::kind_of(NodeId value) const {
  switch (tree_.value(value).kind()) {
    case JsonKind::kNull: return kNullKind;
    case JsonKind::kBool: return kBoolKind;
    case JsonKind::kText: return kTextKind;
    case JsonKind::kArray: return kListKind;
    case JsonKind::kObject: return kObjectKind;
    case JsonKind::kNumber: break;
  }
  const auto number = grammar::Decimal::parse(tree_.value(value).written());
  return number && number->is_whole() ? kWholeKind : kFractionKind;
}

bool SchemaCompiler::admits_text(const Case& c, std::string_view text) {
  const std::uint64_t length = characters(text);
  if (length < c.length_min || length > c.length_max) return false;
  const auto tried = [&](NodeId id, bool format) {
    grammar::Rules rules;
    grammar::JsonText json(rules);
    const std::string_view what = tree_.value(id).text().value_or("");
    const grammar::RuleId root = rules.declare(tree_.pointer(id));
    if (format) {
      const auto made = grammar::read_gbnf(grammar::format_gbnf(what), rules);
      if (!made) return fail(made.error());
      rules.define(root, json.quoted(rules.rule(*made)));
    } else {
      const auto made = grammar::read_pattern(what, json);
      if (!made) return fail(id, made.error().code(), made.error().message());
      rules.define(root, json.quoted((*made).body));
    }
    const auto found = matches(rules, root, text);
    return found ? *found : fail(id, found.error().code(), found.error().message());
  };
  return std::all_of(c.patterns.begin(), c.patterns.end(),
                     [&](NodeId p) { return tried(p, false); }) &&
         std::all_of(c.formats.begin(), c.formats.end(), [&](NodeId f) { return tried(f, true); });
}

bool SchemaCompiler::admits_list(const Case& c, NodeId value) {
  const auto elements = tree_.children(value);
  if (elements.size() < c.items_min || elements.size() > c.items_max) return false;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!admits(element_schemas(tree_, c, i), elements[i])) return false;
  }
  return true;
}

bool SchemaCompiler::admits_object(const Case& c, NodeId value) {
  const auto members = tree_.children(value);
  if (members.size() < c.properties_min || members.size() > c.properties_max) return false;
  for (const std::string& name : c.required) {
    if (!tree_.find(value, name)) return false;
  }
  return std::all_of(members.begin(), members.end(), [&](NodeId member) {
    return admits(property_schemas(tree_, c, tree_.value(member).name()), member);
  });
}

bool SchemaCompiler::admits(const Case& c, NodeId value) {
  const unsigned kind = kind_of(value);
  if ((c.kinds & kind) == 0) return false;
  if (c.values && std::none_of(c.values->begin(), c.values->end(),
                               [&](NodeId one) { return tree_.equal(one, value); })) {
    return false;
  }
  const JsonValue& json = tree_.value(value);
  switch (json.kind()) {
    case JsonKind::kNull:
    case JsonKind::kBool: return true;
    case JsonKind::kText: return admits_text(c, *json.text());
    case JsonKind::kArray: return admits_list(c, value);
    case JsonKind::kObject: return admits_object(c, value);
    case JsonKind::kNumber: break;
  }
  const auto number = grammar::Decimal::parse(json.written());
  if (!number) return fail(value, ErrorCode::kExhausted, "got a number of too many digits");
  return within(c.numbers, *number);
}

bool SchemaCompiler::admits(const std::vector<NodeId>& schemas, NodeId value) {
  const auto cases = cases_of(schemas);
  return status_ &&
         std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return admits(c, value); });
}

}  // namespace polaris::schema
