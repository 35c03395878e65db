// Names of properties: which patterns they are of, and those that nobody names.
#include <algorithm>
#include <utility>

#include "pipeline/schema/schema_compiler.h"

namespace polaris::schema {
namespace {

using grammar::Demand;

constexpr std::size_t kPatternsMax = 5;  // of which each subset is a kind of names
constexpr std::size_t kStatesMax = 1 << 14;

}  // namespace

bool SchemaCompiler::is_of_pattern(NodeId pattern, std::string_view name) {
  const GrammarPtr& grammar = pattern_grammar(pattern, tree_.value(pattern).name());
  return grammar && takes(grammar, name);
}

Terms SchemaCompiler::terms_of_member(const Case& c, std::string_view name) {
  return member_terms(tree_, c, name, [&](NodeId pattern) { return is_of_pattern(pattern, name); });
}

/// Whether propertyNames let a name be.
bool SchemaCompiler::admits_name(const Case& c, std::string_view name) {
  return std::all_of(c.name_schemas.begin(), c.name_schemas.end(), [&](NodeId id) {
    const auto cases = cases_of({{id, Ask::kFits}});
    return std::any_of(cases.begin(), cases.end(), [&](const Case& of) {
      if ((of.kinds & kTextKind) == 0) return false;
      if (of.values && std::none_of(of.values->begin(), of.values->end(), [&](NodeId value) {
            return tree_.value(value).text() == name;
          })) {
        return false;
      }
      return admits_text(of, name);
    });
  });
}

/// What properties that nobody names may be called, by the patterns that their names are of, and
/// what they must keep.
std::vector<SchemaCompiler::Other> SchemaCompiler::others_of(const Case& c) {
  std::vector<Other> out;
  if (c.name_patterns.empty() && c.name_schemas.empty()) {
    out.push_back({member_terms(tree_, c, std::nullopt, [](NodeId) { return false; }), {}, {}});
    return out;
  }
  if (c.name_patterns.size() > kPatternsMax) {
    fail(at_, ErrorCode::kUnsupported, "so many patternProperties are not served");
    return out;
  }
  Terms names;
  for (const NodeId id : c.name_schemas) names.push_back({id, Ask::kFits});
  const std::vector<Case> cases = cases_of(names);
  for (std::size_t of = 0; of < std::size_t{1} << c.name_patterns.size(); ++of) {
    Other other;
    for (std::size_t i = 0; i < c.name_patterns.size(); ++i) {
      if ((of >> i & 1) != 0) other.patterns.push_back(c.name_patterns[i]);
    }
    const auto matches = [&](NodeId pattern) {
      return std::any_of(other.patterns.begin(), other.patterns.end(), [&](NodeId one) {
        return tree_.value(one).name() == tree_.value(pattern).name();
      });
    };
    other.terms = member_terms(tree_, c, std::nullopt, matches);
    if (is_never(other.terms, 0)) continue;
    for (const Case& name : cases) {
      if (!status_) return {};
      other.name = other_names(c, name, matches);
      if (other.name) out.push_back(other);
    }
  }
  return out;
}

/// Names of one case of propertyNames, of the patterns that `matches` says, and none of the case's.
SchemaCompiler::Met SchemaCompiler::other_names(const Case& c, const Case& name,
                                                const OfPattern& matches) {
  if ((name.kinds & kTextKind) == 0) return std::nullopt;
  std::vector<Demand> demands;
  if (!demand_texts(name, demands)) return std::nullopt;
  if (name.values) {
    std::vector<std::string> texts;
    for (const NodeId value : *name.values) {
      if (const auto text = tree_.value(value).text()) texts.emplace_back(*text);
    }
    if (texts.empty()) return std::nullopt;
    demands.push_back({texts_grammar(texts), true});
  }
  for (const NodeId pattern : c.name_patterns) {
    demands.push_back({pattern_grammar(pattern, tree_.value(pattern).name()), matches(pattern)});
  }
  if (!c.names.empty()) demands.push_back({texts_grammar(c.names), false});
  if (!status_) return std::nullopt;
  auto met = grammar::meet(demands, kStatesMax);
  if (met) return met.take();
  fail(at_, met.error().code(), met.error().message());
  return std::nullopt;
}

}  // namespace polaris::schema
