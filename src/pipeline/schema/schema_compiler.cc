#include "pipeline/schema/schema_compiler.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "pipeline/schema/json_schema.h"
#include "pipeline/schema/schema_keywords.h"
#include "text/grammar/format.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/number_range.h"
#include "text/grammar/pattern.h"

namespace polaris::schema {
namespace {

using grammar::ExprId;
using grammar::kMany;
using grammar::RuleId;

constexpr std::size_t kNameMax = 512;  // characters of a property's name

}  // namespace

Result<RuleId> SchemaCompiler::run() {
  const auto root = value({SchemaTree::kRoot});
  if (!root && status_) fail(SchemaTree::kRoot, ErrorCode::kInvalid, "no value fits it");
  while (!waiting_.empty() && status_) {
    const auto [rule, schemas] = std::move(waiting_.front());
    waiting_.pop_front();
    define(rule, schemas);
    if (status_ && !rules_.status()) fail(rules_.status().error());
  }
  if (!status_) return status_.error();
  return RuleId{0};
}

std::string SchemaCompiler::name_of(const std::vector<NodeId>& schemas) const {
  std::string out;
  for (const NodeId id : schemas) {
    const std::string pointer = tree_.pointer(id);
    out += (out.empty() ? "" : " and ") + (pointer.empty() ? "the root" : pointer);
  }
  return out.empty() ? "any value" : printable(out, 200);
}

SchemaCompiler::Expr SchemaCompiler::value(std::vector<NodeId> schemas) {
  std::sort(schemas.begin(), schemas.end());
  schemas.erase(std::unique(schemas.begin(), schemas.end()), schemas.end());
  if (is_never(schemas, 0)) return std::nullopt;
  const auto [at, fresh] = made_.try_emplace(schemas, 0);
  if (fresh) {
    at->second = rules_.declare(name_of(schemas));
    waiting_.emplace_back(at->second, std::move(schemas));
  }
  return rules_.rule(at->second);
}

void SchemaCompiler::define(RuleId rule, const std::vector<NodeId>& schemas) {
  at_ = schemas.empty() ? SchemaTree::kRoot : schemas.front();
  std::vector<ExprId> parts;
  for (const Case& c : cases_of(schemas)) {
    const Expr made = of_case(c);
    if (made) parts.push_back(*made);
    if (!status_) return;
  }
  if (parts.empty()) {
    fail(at_, ErrorCode::kInvalid, "no value fits it");
    return;
  }
  rules_.define(rule, rules_.choice(parts));
}

ExprId SchemaCompiler::rule_of(ExprId body) {
  const RuleId rule = rules_.declare(name_of({at_}));
  rules_.define(rule, body);
  return rules_.rule(rule);
}

std::uint32_t SchemaCompiler::count(std::uint64_t wanted, std::string_view what) {
  if (wanted == UINT64_MAX && what.starts_with("max")) return kMany;
  if (wanted > grammar::Limits::kRepeats) {
    fail(at_, ErrorCode::kExhausted,
         std::string(what) + ", got " + std::to_string(wanted) + ", wanted at most " +
             std::to_string(grammar::Limits::kRepeats));
    return 0;
  }
  return static_cast<std::uint32_t>(wanted);
}

SchemaCompiler::Expr SchemaCompiler::of_case(const Case& c) {
  std::vector<ExprId> parts;
  const auto add = [&](Expr part) {
    if (part) parts.push_back(*part);
  };
  if (c.values) {
    for (const NodeId value : *c.values) {
      if (admits(c, value)) add(written(value));
    }
  } else {
    std::vector<std::string> words;
    if ((c.kinds & kNullKind) != 0) words.emplace_back("null");
    if ((c.kinds & kBoolKind) != 0) words.insert(words.end(), {"true", "false"});
    if (!words.empty()) add(json_.one_of(std::move(words)));
    if ((c.kinds & kFractionKind) != 0) {
      add(grammar::all_numbers(rules_, c.numbers));
    } else if ((c.kinds & kWholeKind) != 0) {
      add(grammar::whole_numbers(rules_, c.numbers));
    }
    if ((c.kinds & kTextKind) != 0) add(texts(c));
    if ((c.kinds & kListKind) != 0) add(lists(c));
    if ((c.kinds & kObjectKind) != 0) add(objects(c));
  }
  if (parts.empty()) return std::nullopt;
  return rules_.choice(parts);
}

/// A value of the schema's own text, its members in their order.
SchemaCompiler::Expr SchemaCompiler::written(NodeId id) {
  const JsonValue& value = tree_.value(id);
  switch (value.kind()) {
    case JsonKind::kNull: return rules_.text("null");
    case JsonKind::kBool: return rules_.text(*value.boolean() ? "true" : "false");
    case JsonKind::kText: return rules_.text(grammar::JsonText::escaped(*value.text()));
    case JsonKind::kNumber: {
      const auto number = grammar::Decimal::parse(value.written());
      if (!number) {
        fail(id, ErrorCode::kExhausted, "got a number of too many digits");
        return std::nullopt;
      }
      const ExprId text = rules_.text(number->text());
      if (!number->is_whole()) return text;
      return rules_.sequence({text, rules_.repeat(rules_.text(".0"), 0, 1)});
    }
    case JsonKind::kArray:
    case JsonKind::kObject: break;
  }
  const bool object = value.is(JsonKind::kObject);
  std::vector<ExprId> parts{rules_.text(object ? "{" : "["), json_.space()};
  const auto children = tree_.children(id);
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (i > 0) parts.push_back(json_.comma());
    if (object) {
      parts.push_back(
          rules_.text(grammar::JsonText::escaped(tree_.value(children[i]).name()) + ":"));
      parts.push_back(json_.space());
    }
    const Expr part = written(children[i]);
    if (!part) return std::nullopt;
    parts.push_back(*part);
  }
  if (!children.empty()) parts.push_back(json_.space());
  parts.push_back(rules_.text(object ? "}" : "]"));
  return rules_.sequence(parts);
}

SchemaCompiler::Expr SchemaCompiler::texts(const Case& c) {
  if (c.length_min > c.length_max) return std::nullopt;
  if (c.patterns.size() + c.formats.size() > 1) {
    fail(c.patterns.empty() ? c.formats[1] : c.patterns.back(), ErrorCode::kUnsupported,
         "one text with several patterns or formats is not served");
    return std::nullopt;
  }
  const bool bounded = c.length_min > 0 || c.length_max != UINT64_MAX;
  if (!c.formats.empty()) {
    const NodeId id = c.formats[0];
    if (bounded) {
      fail(id, ErrorCode::kUnsupported, "a format beside minLength or maxLength is not served");
      return std::nullopt;
    }
    const auto made =
        grammar::read_gbnf(grammar::format_gbnf(tree_.value(id).text().value_or("")), rules_);
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
    const std::uint64_t longest = (*made).max == kMany ? UINT64_MAX : (*made).max;
    if ((*made).min < c.length_min || longest > c.length_max) {
      fail(id, ErrorCode::kUnsupported,
           "a pattern beside minLength or maxLength that it does not keep by itself is not served");
      return std::nullopt;
    }
    return json_.quoted((*made).body);
  }
  return json_.quoted(rules_.repeat(json_.any_character(), count(c.length_min, "minLength"),
                                    count(c.length_max, "maxLength")));
}

SchemaCompiler::Expr SchemaCompiler::lists(const Case& c) {
  const std::uint64_t own = std::min<std::uint64_t>(prefix_length(tree_, c), c.items_max);
  std::uint64_t most = c.items_max;
  std::vector<ExprId> prefix;
  while (prefix.size() < own) {
    const Expr part = value(element_schemas(tree_, c, prefix.size()));
    if (!part) break;
    prefix.push_back(*part);
  }
  const bool whole = prefix.size() == prefix_length(tree_, c);
  Expr rest;
  if (whole && most > own) rest = value(element_schemas(tree_, c, own));
  if (!rest) most = std::min<std::uint64_t>(most, prefix.size());
  if (!status_ || c.items_min > most) return std::nullopt;

  const std::uint32_t least = count(c.items_min, "minItems");
  const auto done = static_cast<std::uint32_t>(prefix.size());
  const std::uint32_t longest = most == UINT64_MAX ? kMany : count(most, "maxItems");
  if (!status_) return std::nullopt;
  const std::uint32_t left_min = least > done ? least - done : 0;
  const std::uint32_t left_max = longest == kMany ? kMany : longest - done;
  // From the last to the first: what may follow so many elements.
  ExprId tail = rules_.empty();
  if (rest && prefix.empty()) {
    tail = json_.list(rest.value_or(0), left_min, left_max);
  } else if (rest) {
    tail = rules_.repeat(rules_.sequence({json_.comma(), rest.value_or(0)}), left_min, left_max);
  }
  for (std::size_t i = prefix.size(); i-- > 0;) {
    ExprId element = rules_.sequence({prefix[i], rule_of(tail)});
    if (i > 0) element = rules_.sequence({json_.comma(), element});
    tail = i < least ? element : rules_.repeat(element, 0, 1);
  }
  return rules_.sequence({rules_.text("["), json_.space(), tail, json_.space(), rules_.text("]")});
}

SchemaCompiler::Expr SchemaCompiler::objects(const Case& c) {
  if (!has_objects(c, 0) || !status_) return std::nullopt;
  std::vector<std::pair<std::string, Expr>> own;
  std::size_t possible = 0;
  for (const std::string& name : c.names) {
    if (name.size() > kNameMax) {
      fail(at_, ErrorCode::kExhausted, "a property's name, got more than 512 bytes");
      return std::nullopt;
    }
    own.emplace_back(name, value(property_schemas(tree_, c, name)));
    if (own.back().second) ++possible;
  }
  const Expr other = value(other_schemas(tree_, c));
  if (!status_) return std::nullopt;
  ExprId inside = rules_.empty();
  const bool least_kept = c.required.size() >= c.properties_min;
  const bool most_kept = c.properties_max == UINT64_MAX || (!other && possible <= c.properties_max);
  if (least_kept && most_kept) {
    inside = members(c, own, other);
  } else if (c.properties_max == 0) {
    if (c.properties_min > 0) return std::nullopt;
  } else if (other && own.empty() && c.properties_min <= 1) {
    // Names that stand there twice are one, so that more than one cannot be asked for.
    const ExprId member =
        rules_.sequence({json_.other_name({}), rules_.text(":"), json_.space(), *other});
    inside = json_.list(member, count(c.properties_min, "minProperties"),
                        count(c.properties_max, "maxProperties"));
  } else {
    fail(
        at_, ErrorCode::kUnsupported,
        "minProperties or maxProperties beside properties, or minProperties of more than 1, is not "
        "served");
    return std::nullopt;
  }
  return rules_.sequence(
      {rules_.text("{"), json_.space(), inside, json_.space(), rules_.text("}")});
}

/// Those with names in their order, then others. Made from the last to the first, each as it
/// follows another member, and as it is the first.
ExprId SchemaCompiler::members(const Case& c, const std::vector<std::pair<std::string, Expr>>& own,
                               Expr other) {
  ExprId first = rules_.empty();
  ExprId later = rules_.empty();
  if (other) {
    std::vector<std::string> names;
    for (const auto& [name, schema] : own) names.push_back(name);
    const ExprId member = rule_of(
        rules_.sequence({json_.other_name(names), rules_.text(":"), json_.space(), *other}));
    first = json_.list(member, 0, kMany);
    later = rules_.repeat(rules_.sequence({json_.comma(), member}), 0, kMany);
  }
  for (std::size_t i = own.size(); i-- > 0;) {
    const auto& [name, schema] = own[i];
    if (!schema) continue;
    const ExprId member = rules_.sequence(
        {rules_.text(grammar::JsonText::escaped(name) + ":"), json_.space(), *schema});
    const ExprId rest = rule_of(later);
    const ExprId here = rules_.sequence({member, rest});
    const ExprId behind = rules_.sequence({json_.comma(), member, rest});
    const bool required = c.required.contains(name);
    first = required ? here : rules_.choice({here, rule_of(first)});
    later = required ? behind : rules_.choice({behind, rest});
  }
  return first;
}

}  // namespace polaris::schema

namespace polaris {

Result<std::shared_ptr<const grammar::Grammar>> compile_schema(const JsonValue& schema) {
  const auto tree = schema::SchemaTree::create(schema);
  if (!tree) return tree.error();
  grammar::Rules rules;
  const auto root = schema::SchemaCompiler(*tree, rules).run();
  if (!root) return root.error();
  return grammar::Grammar::compile(rules, *root);
}

Result<std::shared_ptr<const grammar::Grammar>> parse_schema(std::string_view text) {
  if (text.size() > grammar::Limits::kTextBytes) {
    return Error::exhausted("[schema] text, got " + std::to_string(text.size()) +
                            " bytes, wanted at most " +
                            std::to_string(grammar::Limits::kTextBytes));
  }
  const auto document = JsonDocument::parse(text);
  if (!document) return document.error().with_context("[schema]");
  return compile_schema((*document).root());
}

}  // namespace polaris
