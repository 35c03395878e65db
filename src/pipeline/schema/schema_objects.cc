// Objects: properties that have names in their order, then others.
#include <algorithm>
#include <utility>

#include "pipeline/schema/schema_compiler.h"

namespace polaris::schema {
namespace {

using grammar::ExprId;
using grammar::kMany;

constexpr std::size_t kNameMax = 512;        // bytes of a property's name
constexpr std::size_t kPlacesMax = 1 << 14;  // of properties, times numbers of them before

}  // namespace

bool SchemaCompiler::has_objects(const Case& c, int depth) {
  for (const std::string& name : c.required) {
    if (!admits_name(c, name) || is_never(terms_of_member(c, name), depth)) return false;
  }
  if (c.properties_min <= c.required.size() && c.others.empty()) return true;
  // Who names others, or wants more than are required: whether there are as many.
  std::uint64_t possible = 0;
  for (const std::string& name : c.names) {
    if (c.lacked.contains(name) || !admits_name(c, name)) continue;
    if (!is_never(terms_of_member(c, name), depth)) ++possible;
  }
  const auto others = others_of(c);
  const bool any = std::any_of(others.begin(), others.end(),
                               [&](const Other& other) { return !is_never(other.terms, depth); });
  if (!any && possible < c.properties_min) return false;
  return std::all_of(c.others.begin(), c.others.end(), [&](const Term& asked) {
    return std::any_of(others.begin(), others.end(), [&](const Other& other) {
      const auto terms = terms_of_other(other, asked);
      return terms && !is_never(*terms, depth);
    });
  });
}

/// What a property that `asked` is of must keep; nothing where it is none of these.
std::optional<Terms> SchemaCompiler::terms_of_other(const Other& other, const Term& asked) {
  Terms out = other.terms;
  if (asked.ask == Ask::kOtherName) return out;
  const auto patterns = tree_.find(tree_.parent(asked.id), "patternProperties");
  const auto own = patterns ? tree_.children(*patterns) : std::vector<NodeId>();
  const bool named = std::any_of(own.begin(), own.end(), [&](NodeId pattern) {
    return std::any_of(other.patterns.begin(), other.patterns.end(), [&](NodeId one) {
      return tree_.value(one).name() == tree_.value(pattern).name();
    });
  });
  if (named) return std::nullopt;
  out.push_back({asked.id, Ask::kFails});
  return out;
}

SchemaCompiler::Expr SchemaCompiler::other_member(const Case& c, const Other& other,
                                                  const Terms& terms) {
  const Expr made = value(terms);
  if (!made) return std::nullopt;
  const ExprId name =
      other.name ? json_.quoted(rules_.bytes(*other.name)) : json_.other_name(c.names);
  return rules_.sequence({name, rules_.text(":"), json_.space(), *made});
}

SchemaCompiler::Expr SchemaCompiler::objects(const Case& c) {
  if (!has_objects(c, 0) || !status_) return std::nullopt;
  std::vector<Member> own;
  for (const std::string& name : c.names) {
    if (name.size() > kNameMax) {
      fail(at_, ErrorCode::kExhausted, "a property's name, got more than 512 bytes");
      return std::nullopt;
    }
    if (c.lacked.contains(name) || !admits_name(c, name)) continue;
    const Expr made = value(terms_of_member(c, name));
    if (!made) continue;
    own.push_back({rules_.sequence(
                       {rules_.text(grammar::JsonText::escaped(name) + ":"), json_.space(), *made}),
                   c.required.contains(name)});
  }
  if (c.others.size() > 1) {
    fail(c.others[1].id, ErrorCode::kUnsupported,
         "properties that nobody names and that fail several schemas are not served");
    return std::nullopt;
  }
  std::vector<ExprId> others;
  std::vector<ExprId> asked;
  for (const Other& other : others_of(c)) {
    if (const Expr made = other_member(c, other, other.terms)) others.push_back(*made);
    const auto terms = c.others.empty() ? std::nullopt : terms_of_other(other, c.others[0]);
    const Expr made = terms ? other_member(c, other, *terms) : std::nullopt;
    if (made) asked.push_back(*made);
  }
  if (!status_) return std::nullopt;
  Others rest;
  if (!others.empty()) rest.any = rule_of(rules_.choice(others));
  if (!asked.empty()) rest.last = rule_of(rules_.choice(asked));
  rest.wanted = !c.others.empty();
  const Expr inside = members(c, own, rest);
  if (!inside) {
    fail(at_, ErrorCode::kUnsupported,
         "minProperties of more than the properties with names and one is not served");
    return std::nullopt;
  }
  return rules_.sequence(
      {rules_.text("{"), json_.space(), *inside, json_.space(), rules_.text("}")});
}

/// What may stand behind so many members. A name that stands there twice is one, so that of others
/// one alone counts towards the least; one that is asked for comes last, since the last one counts.
SchemaCompiler::Expr SchemaCompiler::other_members(const Case& c, const Others& rest,
                                                   std::uint64_t before) {
  const std::uint64_t least = c.properties_min > before ? c.properties_min - before : 0;
  const std::uint64_t most = c.properties_max == UINT64_MAX ? UINT64_MAX
                             : c.properties_max >= before   ? c.properties_max - before
                                                            : 0;
  const bool asked = rest.wanted;
  if (before > c.properties_max || (asked && (!rest.last || most == 0))) return std::nullopt;
  if (least > (rest.any || asked ? 1u : 0u)) return std::nullopt;
  if (!rest.any && !asked) return rules_.empty();
  const ExprId comma = json_.comma();
  const std::uint32_t more =
      most == UINT64_MAX ? kMany : count(most - (asked ? 1 : 0), "maxProperties");
  if (asked) {
    const ExprId last = rest.last.value_or(0);
    if (!rest.any) return before > 0 ? rules_.sequence({comma, last}) : last;
    if (before > 0) {
      const ExprId one = rules_.sequence({comma, *rest.any});
      return rules_.sequence({rules_.repeat(one, 0, more), comma, last});
    }
    const ExprId one = rules_.sequence({*rest.any, comma});
    return rules_.sequence({rules_.repeat(one, 0, more), last});
  }
  const auto some = static_cast<std::uint32_t>(least);
  if (before == 0) return json_.list(*rest.any, some, more);
  return rules_.repeat(rules_.sequence({comma, *rest.any}), some, more);
}

/// Made from the last to the first, for each number of members that may stand before: that there
/// are any, and all of them where their number is bounded.
SchemaCompiler::Expr SchemaCompiler::members(const Case& c, const std::vector<Member>& own,
                                             const Others& rest) {
  const bool bounded =
      c.properties_min > c.required.size() ||
      (c.properties_max != UINT64_MAX && (rest.any || rest.last || own.size() > c.properties_max));
  const std::size_t numbers = bounded ? own.size() : 1;
  if ((numbers + 1) * own.size() > kPlacesMax) {
    fail(at_, ErrorCode::kExhausted, "minProperties or maxProperties beside so many properties");
    return std::nullopt;
  }
  Case free = c;
  if (!bounded) free.properties_min = 0;
  if (!bounded) free.properties_max = UINT64_MAX;
  std::vector<Expr> tails(numbers + 1);
  for (std::size_t before = 0; before <= numbers; ++before) {
    tails[before] = other_members(free, rest, before);
  }
  for (std::size_t i = own.size(); i-- > 0;) {
    std::vector<Expr> rules;
    for (const Expr& tail : tails) rules.push_back(tail ? Expr(rule_of(*tail)) : std::nullopt);
    for (std::size_t before = 0; before <= numbers; ++before) {
      std::vector<ExprId> parts;
      const Expr& behind = rules[std::min(before + 1, numbers)];
      if (behind && (!bounded || before < numbers)) {
        const ExprId member = rules_.sequence({own[i].text, *behind});
        parts.push_back(before == 0 ? member : rules_.sequence({json_.comma(), member}));
      }
      if (!own[i].required && rules[before]) parts.push_back(*rules[before]);
      tails[before] = parts.empty() ? std::nullopt : Expr(rules_.choice(parts));
    }
  }
  return tails[0];
}

}  // namespace polaris::schema
