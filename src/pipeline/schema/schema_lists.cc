// Lists: elements of a prefix and a rest; where elements are counted, or each has to be another
// one, as an automaton of what was counted so far.
#include <algorithm>
#include <utility>

#include "pipeline/schema/list_states.h"
#include "pipeline/schema/schema_compiler.h"

namespace polaris::schema {
namespace {

using grammar::ExprId;
using grammar::kMany;
using grammar::RuleId;

constexpr std::size_t kCountsMax = 3;  // of which each set of what an element fits is a way
constexpr std::size_t kPairsMax = 8;   // positions that are compared to one another

}  // namespace

bool SchemaCompiler::is_plain_list(const Case& c, int depth) {
  return c.counts.empty() && (!c.unique || is_unique_anyway(c, depth));
}

/// Where lists are short, or no value fits two of their positions.
bool SchemaCompiler::is_unique_anyway(const Case& c, int depth) {
  const std::size_t prefix = prefix_length(tree_, c);
  std::uint64_t longest = c.items_max;
  if (longest > prefix && is_never(element_terms(tree_, c, prefix), depth)) longest = prefix;
  if (longest <= 1) return true;
  if (longest > kPairsMax) return false;
  for (std::size_t i = 0; i < longest; ++i) {
    for (std::size_t j = i + 1; j < longest; ++j) {
      Terms both = element_terms(tree_, c, i);
      const Terms other = element_terms(tree_, c, j);
      both.insert(both.end(), other.begin(), other.end());
      if (!is_never(both, depth)) return false;
    }
  }
  return true;
}

bool SchemaCompiler::has_lists(const Case& c, int depth) {
  if (!is_plain_list(c, depth)) {
    const auto states = list_states(c, depth);
    return states && !states->empty();
  }
  const std::uint64_t own = prefix_length(tree_, c);
  for (std::uint64_t i = 0; i < std::min(c.items_min, own + 1); ++i) {
    if (is_never(element_terms(tree_, c, i), depth)) return false;
  }
  return true;
}

SchemaCompiler::Expr SchemaCompiler::lists(const Case& c) {
  if (!has_lists(c, 0) || !status_) return std::nullopt;
  const Expr inside = is_plain_list(c, 0) ? plain_elements(c) : counted_elements(c);
  if (!inside) return std::nullopt;
  return rules_.sequence(
      {rules_.text("["), json_.space(), *inside, json_.space(), rules_.text("]")});
}

SchemaCompiler::Expr SchemaCompiler::plain_elements(const Case& c) {
  const std::uint64_t own = std::min<std::uint64_t>(prefix_length(tree_, c), c.items_max);
  std::uint64_t most = c.items_max;
  std::vector<ExprId> prefix;
  while (prefix.size() < own) {
    const Expr part = value(element_terms(tree_, c, prefix.size()));
    if (!part) break;
    prefix.push_back(*part);
  }
  const bool whole = prefix.size() == prefix_length(tree_, c);
  Expr rest;
  if (whole && most > own) rest = value(element_terms(tree_, c, own));
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
  return tail;
}

/// Where a list may stand by what was counted, and what leads on; nothing where it failed.
std::optional<ListStates> SchemaCompiler::list_states(const Case& c, int depth) {
  if (c.unique && !is_unique_anyway(c, depth)) return unique_states(c);
  if (c.counts.size() > kCountsMax) {
    fail(at_, ErrorCode::kUnsupported, "so many contains at once is not served");
    return std::nullopt;
  }
  std::uint64_t last = std::max<std::uint64_t>(prefix_length(tree_, c), c.items_min);
  if (c.items_max != UINT64_MAX) last = std::max(last, c.items_max);
  for (const Count& count : c.counts) last = std::max<std::uint64_t>(last, count.from);
  // Beyond these numbers nothing changes.
  std::vector<std::uint64_t> ends{std::max<std::uint64_t>(last, 1)};
  for (const Count& count : c.counts) {
    ends.push_back(count.max == UINT64_MAX ? count.min : std::max(count.min, count.max));
  }
  ListStates out;
  const auto may_end = [&](const ListStates::Counted& at) {
    if (at[0] < c.items_min) return false;
    for (std::size_t i = 0; i < c.counts.size(); ++i) {
      if (at[i + 1] < c.counts[i].min || at[i + 1] > c.counts[i].max) return false;
    }
    return true;
  };
  out.add(ListStates::Counted(ends.size(), 0));
  for (std::size_t state = 0; state < out.size() && status_; ++state) {
    const ListStates::Counted at = out.counted(state);
    out.set_may_end(state, may_end(at));
    if (at[0] >= c.items_max) continue;
    for (std::size_t of = 0; of < std::size_t{1} << c.counts.size(); ++of) {
      ListStates::Counted next = at;
      std::vector<bool> counted;
      bool possible = true;
      next[0] = std::min(at[0] + 1, ends[0]);
      for (std::size_t i = 0; i < c.counts.size(); ++i) {
        const bool one = (of >> i & 1) != 0;
        counted.push_back(one);
        if (!one) continue;
        if (at[0] < c.counts[i].from || at[i + 1] >= c.counts[i].max) possible = false;
        next[i + 1] = std::min(at[i + 1] + 1, ends[i + 1]);
      }
      if (!possible) continue;
      Terms terms = element_terms(tree_, c, static_cast<std::size_t>(at[0]), counted);
      if (is_never(terms, depth)) continue;
      out.add_step(state, {.terms = std::move(terms), .target = out.add(next)});
    }
    if (out.is_full()) {
      fail(at_, ErrorCode::kExhausted, "elements to count, got too many numbers of them");
      return std::nullopt;
    }
  }
  out.trim();
  return out;
}

SchemaCompiler::Expr SchemaCompiler::counted_elements(const Case& c) {
  const auto states = list_states(c, 0);
  if (!states || states->empty() || !status_) return std::nullopt;
  std::vector<RuleId> rules;
  for (std::size_t i = 0; i < states->size(); ++i) rules.push_back(rules_.declare(name_of({})));
  for (std::size_t state = 0; state < states->size(); ++state) {
    std::vector<ExprId> parts;
    if (states->may_end(state)) parts.push_back(rules_.empty());
    for (const ListStates::Step& step : states->steps(state)) {
      const Expr element = step.is_value() ? written_value(step) : value(step.terms);
      if (!element) continue;
      const ExprId more = rules_.sequence({*element, rules_.rule(rules[step.target])});
      // Nothing leads back to the first state.
      parts.push_back(state == 0 ? more : rules_.sequence({json_.comma(), more}));
    }
    if (parts.empty()) return std::nullopt;
    rules_.define(rules[state], rules_.choice(parts));
  }
  return rules_.rule(rules[0]);
}

}  // namespace polaris::schema
