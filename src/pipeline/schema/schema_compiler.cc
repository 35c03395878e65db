#include "pipeline/schema/schema_compiler.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "pipeline/schema/json_schema.h"
#include "pipeline/schema/schema_keywords.h"
#include "text/grammar/number_range.h"

namespace polaris::schema {
namespace {

using grammar::ExprId;
using grammar::kMany;
using grammar::RuleId;

}  // namespace

Result<RuleId> SchemaCompiler::run() {
  const auto root = value({{SchemaTree::kRoot, Ask::kFits}});
  if (!root && status_) fail(SchemaTree::kRoot, ErrorCode::kInvalid, "no value fits it");
  while (!waiting_.empty() && status_) {
    const auto [rule, terms] = std::move(waiting_.front());
    waiting_.pop_front();
    define(rule, terms);
    if (status_ && !rules_.status()) fail(rules_.status().error());
  }
  if (!status_) return status_.error();
  return RuleId{0};
}

std::string SchemaCompiler::name_of(const Terms& terms) const {
  std::string out;
  for (const Term& term : terms) {
    const std::string pointer = tree_.pointer(term.id);
    out += out.empty() ? "" : " and ";
    out += (term.ask == Ask::kFits ? "" : "not ") + (pointer.empty() ? "the root" : pointer);
  }
  return out.empty() ? "any value" : printable(out, 200);
}

SchemaCompiler::Expr SchemaCompiler::value(Terms terms) {
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  if (is_never(terms, 0)) return std::nullopt;
  const auto [at, fresh] = made_.try_emplace(terms, 0);
  if (fresh) {
    at->second = rules_.declare(name_of(terms));
    waiting_.emplace_back(at->second, std::move(terms));
  }
  return rules_.rule(at->second);
}

void SchemaCompiler::define(RuleId rule, const Terms& terms) {
  at_ = terms.empty() ? SchemaTree::kRoot : terms.front().id;
  std::vector<ExprId> parts;
  for (const Case& c : cases_of(terms)) {
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
  const RuleId rule = rules_.declare(name_of({{at_, Ask::kFits}}));
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
    std::vector<std::string> words = words_of(c);
    if (!words.empty()) add(json_.one_of(std::move(words)));
    add(numbers(c));
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
