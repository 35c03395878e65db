// The ways to keep what leaves a choice: alternatives of a schema, and each way not to fit one.
#include <algorithm>
#include <utility>

#include "pipeline/schema/schema_compiler.h"
#include "pipeline/schema/schema_keywords.h"

namespace polaris::schema {
namespace {

constexpr std::size_t kTogetherMax = 6;  // alternatives that each subset of is a case

Terms all_of(const std::vector<NodeId>& ids, Ask ask) {
  Terms out;
  for (const NodeId id : ids) out.push_back({id, ask});
  return out;
}

}  // namespace

/// Of `anyOf` where it counts which of them fit: each subset.
std::vector<Terms> SchemaCompiler::subsets(NodeId list) {
  const auto all = tree_.children(list);
  if (all.size() > kTogetherMax) {
    fail(list, ErrorCode::kUnsupported, "so many beside unevaluated... is not served");
    return {};
  }
  std::vector<Terms> out;
  for (std::size_t fit = 1; fit < std::size_t{1} << all.size(); ++fit) {
    Terms terms;
    for (std::size_t i = 0; i < all.size(); ++i) {
      terms.push_back({all[i], (fit >> i & 1) != 0 ? Ask::kFits : Ask::kFails});
    }
    out.push_back(std::move(terms));
  }
  return out;
}

/// One fits, and those others do not that a value could fit beside it.
std::vector<Terms> SchemaCompiler::one_of(const Branch& branch, NodeId list, const Owners& owners) {
  const auto all = tree_.children(list);
  std::vector<Terms> out(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) out[i].push_back({all[i], Ask::kFits});
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size() && status_; ++j) {
      Branch both = branch;
      both.add({all[i], Ask::kFits}, owners);
      both.add({all[j], Ask::kFits}, owners);
      std::vector<Case> cases;
      find_cases(std::move(both), cases);
      const bool never =
          std::all_of(cases.begin(), cases.end(), [&](const Case& c) { return is_never(c, 0); });
      if (never) continue;
      out[i].push_back({all[j], Ask::kFails});
      out[j].push_back({all[i], Ask::kFails});
    }
  }
  return out;
}

std::vector<Terms> SchemaCompiler::ways(const Branch& branch, const Part& choice) {
  const NodeId id = choice.term.id;
  if (choice.term.ask == Ask::kFails) return ways_to_fail(id);
  if (choice.term.ask == Ask::kDiffers) return ways_to_differ(id);
  const std::string_view name = tree_.value(id).name();
  const NodeId schema = tree_.parent(id);
  const auto fits = [](NodeId node) { return Term{node, Ask::kFits}; };
  if (name == "anyOf") {
    if (!choice.owners.empty()) return subsets(id);
    std::vector<Terms> out;
    for (const NodeId one : tree_.children(id)) out.push_back({fits(one)});
    return out;
  }
  if (name == "oneOf") return one_of(branch, id, choice.owners);
  if (name == "if") {
    Terms yes{fits(id)};
    Terms no{{id, Ask::kFails}};
    if (const auto then = tree_.find(schema, "then")) yes.push_back(fits(*then));
    if (const auto otherwise = tree_.find(schema, "else")) no.push_back(fits(*otherwise));
    return {yes, no};
  }
  // A member of dependentRequired or dependentSchemas.
  Terms has{{id, Ask::kHas}};
  if (tree_.value(schema).name() == "dependentSchemas") {
    has.push_back(fits(id));
  } else {
    for (const NodeId text : tree_.children(id)) has.push_back({text, Ask::kHas});
  }
  return {{{id, Ask::kMayLack}}, has};
}

std::vector<Terms> SchemaCompiler::ways_to_differ(NodeId id) {
  const JsonValue& value = tree_.value(id);
  const auto children = tree_.children(id);
  const bool list = value.is(JsonKind::kArray);
  std::vector<Terms> out{{{id, list ? Ask::kNoList : Ask::kNoObject}}};
  if (list) {
    out.push_back({{id, Ask::kLonger}});
    if (!children.empty()) out.push_back({{id, Ask::kShorter}});
  } else {
    out.push_back({{id, Ask::kOtherName}});
  }
  for (const NodeId child : children) {
    if (!list) out.push_back({{child, Ask::kLacks}});
    out.push_back({{child, list ? Ask::kElementDiffers : Ask::kHasDiffering}});
  }
  return out;
}

std::vector<Terms> SchemaCompiler::ways_to_fail(NodeId schema) {
  std::vector<Terms> out;
  for (const NodeId keyword : tree_.children(schema)) {
    for (Terms& terms : ways_to_break(schema, keyword)) out.push_back(std::move(terms));
  }
  return out;
}

std::vector<Terms> SchemaCompiler::ways_to_break(NodeId schema, NodeId keyword) {
  constexpr std::string_view kAlone[] = {
      "type",       "minimum",   "maximum",       "exclusiveMinimum", "exclusiveMaximum",
      "multipleOf", "minLength", "pattern",       "format",           "maxLength",
      "minItems",   "maxItems",  "minProperties", "maxProperties"};
  const std::string_view name = tree_.value(keyword).name();
  if (std::find(std::begin(kAlone), std::end(kAlone), name) != std::end(kAlone)) {
    return {{{keyword, Ask::kBreaks}}};
  }
  const auto children = tree_.children(keyword);
  std::vector<Terms> out;
  const auto each = [&](Ask ask) {
    for (const NodeId child : children) out.push_back({{child, ask}});
  };
  if (name == "const") out = {{{keyword, Ask::kDiffers}}};
  if (name == "enum") out = {all_of(children, Ask::kDiffers)};
  if (name == "$ref" || name == "$dynamicRef") {
    if (const auto to = referred(keyword)) out = {{{*to, Ask::kFails}}};
  }
  if (name == "not") out = {{{keyword, Ask::kFits}}};
  if (name == "allOf") each(Ask::kFails);
  if (name == "anyOf" || name == "oneOf") out = {all_of(children, Ask::kFails)};
  if (name == "oneOf") {
    for (std::size_t i = 0; i < children.size(); ++i) {
      for (std::size_t j = i + 1; j < children.size(); ++j) {
        out.push_back({{children[i], Ask::kFits}, {children[j], Ask::kFits}});
      }
    }
  }
  if (name == "if") {
    const auto then = tree_.find(schema, "then");
    const auto otherwise = tree_.find(schema, "else");
    if (then) out.push_back({{keyword, Ask::kFits}, {*then, Ask::kFails}});
    if (otherwise) out.push_back({{keyword, Ask::kFails}, {*otherwise, Ask::kFails}});
  }
  if (name == "required") each(Ask::kLacks);
  if (name == "properties") each(Ask::kHasFailing);
  if (name == "prefixItems") each(Ask::kElementFails);
  if (name == "additionalProperties") out = {{{keyword, Ask::kOtherFails}}};
  if (name == "items") out = {{{keyword, Ask::kSomeFails}}};
  if (name == "contains") {
    const auto least = tree_.find(schema, "minContains");
    const bool none = least && grammar::Decimal::parse(tree_.value(*least).written())->is_zero();
    if (!none) out.push_back({{keyword, Ask::kTooFew}});
    if (tree_.find(schema, "maxContains")) out.push_back({{keyword, Ask::kTooMany}});
  }
  if (name == "dependentRequired") {
    for (const NodeId member : children) {
      for (const NodeId text : tree_.children(member)) {
        out.push_back({{member, Ask::kHas}, {text, Ask::kLacks}});
      }
    }
  }
  if (name == "dependentSchemas") {
    for (const NodeId member : children) {
      out.push_back({{member, Ask::kHas}, {member, Ask::kFails}});
    }
  }
  const bool unserved = name == "patternProperties" || name == "propertyNames" ||
                        name == "uniqueItems" || name.starts_with("unevaluated");
  if (unserved && !says_nothing(tree_.value(keyword))) {
    fail(keyword, ErrorCode::kUnsupported, "what does not fit it is not served");
  }
  return out;
}

}  // namespace polaris::schema
