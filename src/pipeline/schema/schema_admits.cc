// Whether values of const and enum fit what else a schema says.
#include <algorithm>

#include "base/strings.h"
#include "pipeline/schema/schema_compiler.h"
#include "text/grammar/multiples.h"
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

/// Whether a text, as it stands between JSON's quotes, is all that a grammar takes.
bool SchemaCompiler::takes(const GrammarPtr& grammar, std::string_view text) {
  grammar::Places places(grammar);
  grammar::Place place = places.start();
  const std::string quoted = grammar::JsonText::escaped(text);
  for (const char c : std::string_view(quoted).substr(1, quoted.size() - 2)) {
    if (place == grammar::kNowhere) break;
    place = places.next(place, static_cast<std::uint8_t>(c));
  }
  if (auto status = places.take_status(); !status) return fail(status.error());
  return place != grammar::kNowhere && places.may_end(place);
}

bool SchemaCompiler::admits_text(const Case& c, std::string_view text) {
  const std::uint64_t length = characters(text);
  if (length < c.length_min || length > c.length_max) return false;
  const auto same = [&](NodeId id) { return tree_.value(id).text() == text; };
  if (std::any_of(c.not_values.begin(), c.not_values.end(), same)) return false;
  const auto all = [&](const std::vector<NodeId>& ids, bool format, bool wanted) {
    return std::all_of(ids.begin(), ids.end(), [&](NodeId id) {
      const GrammarPtr& grammar =
          format ? format_grammar(id) : pattern_grammar(id, tree_.value(id).text().value_or(""));
      return grammar && takes(grammar, text) == wanted;
    });
  };
  return all(c.patterns, false, true) && all(c.not_patterns, false, false) &&
         all(c.formats, true, true) && all(c.not_formats, true, false);
}

bool SchemaCompiler::admits_number(const Case& c, NodeId value) {
  const auto number = grammar::Decimal::parse(tree_.value(value).written());
  if (!number) return fail(value, ErrorCode::kExhausted, "got a number of too many digits");
  const auto all = [&](const std::vector<NodeId>& ids, bool wanted) {
    return std::all_of(ids.begin(), ids.end(), [&](NodeId id) {
      const auto step = grammar::Decimal::parse(tree_.value(id).written());
      const auto is_one = step ? grammar::is_multiple(*number, *step) : std::nullopt;
      if (is_one) return *is_one == wanted;
      return fail(id, ErrorCode::kUnsupported, "got a number that takes too many remainders");
    });
  };
  return within(c.numbers, *number) && all(c.multiples, true) && all(c.not_multiples, false);
}

bool SchemaCompiler::admits_list(const Case& c, NodeId value) {
  const auto elements = tree_.children(value);
  if (elements.size() < c.items_min || elements.size() > c.items_max) return false;
  for (std::size_t i = 0; c.unique && i < elements.size(); ++i) {
    for (std::size_t j = i + 1; j < elements.size(); ++j) {
      if (tree_.equal(elements[i], elements[j])) return false;
    }
  }
  std::vector<std::uint64_t> counts(c.counts.size(), 0);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    std::vector<bool> counted;
    for (std::size_t of = 0; of < counts.size(); ++of) {
      counted.push_back(i >= c.counts[of].from && admits({c.counts[of].term}, elements[i]));
      counts[of] += counted.back() ? 1 : 0;
    }
    if (!admits(element_terms(tree_, c, i, counted), elements[i])) return false;
  }
  for (std::size_t of = 0; of < counts.size(); ++of) {
    if (counts[of] < c.counts[of].min || counts[of] > c.counts[of].max) return false;
  }
  return true;
}

bool SchemaCompiler::admits_object(const Case& c, NodeId value) {
  const auto members = tree_.children(value);
  if (members.size() < c.properties_min || members.size() > c.properties_max) return false;
  const auto has = [&](const std::string& name) { return tree_.find(value, name).has_value(); };
  if (!std::all_of(c.required.begin(), c.required.end(), has)) return false;
  if (std::any_of(c.lacked.begin(), c.lacked.end(), has)) return false;
  for (const Term& asked : c.others) {
    // As rules have it: one that nobody names.
    if (std::none_of(members.begin(), members.end(), [&](NodeId member) {
          const std::string_view name = tree_.value(member).name();
          if (std::find(c.names.begin(), c.names.end(), name) != c.names.end()) return false;
          Other other;
          for (const NodeId pattern : c.name_patterns) {
            if (is_of_pattern(pattern, name)) other.patterns.push_back(pattern);
          }
          const auto terms = terms_of_other(other, asked);
          return terms && admits(*terms, member);
        })) {
      return false;
    }
  }
  return std::all_of(members.begin(), members.end(), [&](NodeId member) {
    const std::string_view name = tree_.value(member).name();
    return admits_name(c, name) && admits(terms_of_member(c, name), member);
  });
}

bool SchemaCompiler::admits(const Case& c, NodeId value) {
  const unsigned kind = kind_of(value);
  if ((c.kinds & kind) == 0) return false;
  const auto same = [&](NodeId one) { return tree_.equal(one, value); };
  if (c.values && std::none_of(c.values->begin(), c.values->end(), same)) return false;
  if (std::any_of(c.not_values.begin(), c.not_values.end(), same)) return false;
  const JsonValue& json = tree_.value(value);
  switch (json.kind()) {
    case JsonKind::kNull:
    case JsonKind::kBool: return true;
    case JsonKind::kText: return admits_text(c, *json.text());
    case JsonKind::kArray: return admits_list(c, value);
    case JsonKind::kObject: return admits_object(c, value);
    case JsonKind::kNumber: return admits_number(c, value);
  }
  return false;
}

bool SchemaCompiler::admits(const Terms& terms, NodeId value) {
  const auto cases = cases_of(terms);
  return status_ &&
         std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return admits(c, value); });
}

}  // namespace polaris::schema
