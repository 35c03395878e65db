// Lists of which each element is another one, where there are few values that they may be.
#include <algorithm>
#include <utility>

#include "pipeline/schema/list_states.h"
#include "pipeline/schema/schema_compiler.h"

namespace polaris::schema {
namespace {

constexpr std::size_t kSetsMax = 8;       // values of which each set is a state
constexpr std::size_t kInOrderMax = 256;  // more come in the schema's order alone

}  // namespace

SchemaCompiler::Expr SchemaCompiler::written_value(const ListStates::Step& step) {
  return step.value ? written(*step.value) : Expr(rules_.text(step.word));
}

/// The values that keep terms, where they are told one by one.
std::optional<std::vector<ListStates::Step>> SchemaCompiler::told_values(const Terms& terms) {
  std::vector<ListStates::Step> out;
  const auto add = [&](ListStates::Step step) {
    const auto same = [&](const ListStates::Step& other) {
      if (step.value && other.value) return tree_.equal(*step.value, *other.value);
      return step.word == other.word && step.value.has_value() == other.value.has_value();
    };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back(std::move(step));
  };
  const auto add_value = [&](NodeId id) {
    const JsonValue& value = tree_.value(id);
    if (value.is(JsonKind::kNull)) return add({.word = "null"});
    if (value.is(JsonKind::kBool)) return add({.word = *value.boolean() ? "true" : "false"});
    add({.value = id});
  };
  for (const Case& c : cases_of(terms)) {
    if (!c.values) {
      if ((c.kinds & ~unsigned{kNullKind | kBoolKind}) != 0) return std::nullopt;
      for (std::string& word : words_of(c)) add({.word = std::move(word)});
      continue;
    }
    for (const NodeId id : *c.values) {
      if (out.size() > kInOrderMax) break;
      if (admits(c, id)) add_value(id);
    }
  }
  return out;
}

std::optional<ListStates> SchemaCompiler::unique_states(const Case& c) {
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    fail(c.unique_at, code, what);
    return std::nullopt;
  };
  if (!c.counts.empty()) return refuse(ErrorCode::kUnsupported, "beside contains it is not served");
  // Of each position, which of all values it may be.
  const std::size_t prefix = prefix_length(tree_, c);
  std::vector<ListStates::Step> all;
  std::vector<std::vector<std::size_t>> positions;
  for (std::size_t i = 0; i <= prefix && status_; ++i) {
    const auto told = told_values(element_terms(tree_, c, i));
    if (!told) {
      return refuse(ErrorCode::kUnsupported,
                    "elements that are no enum, const, boolean or null are not served");
    }
    std::vector<std::size_t> numbers;
    for (const ListStates::Step& step : *told) {
      const auto same = [&](const ListStates::Step& other) {
        if (step.value && other.value) return tree_.equal(*step.value, *other.value);
        return step.word == other.word && step.value.has_value() == other.value.has_value();
      };
      const auto at = std::find_if(all.begin(), all.end(), same);
      numbers.push_back(static_cast<std::size_t>(at - all.begin()));
      if (at == all.end()) all.push_back(step);
    }
    positions.push_back(std::move(numbers));
  }
  if (all.size() > kInOrderMax) return refuse(ErrorCode::kExhausted, "got too many values");
  // A state is the elements so far, up to behind the prefix, and the values that are gone: a set of
  // them, or all up to the last.
  const bool sets = all.size() <= kSetsMax;
  const std::uint64_t last =
      std::max<std::uint64_t>({1, prefix, std::min<std::uint64_t>(c.items_min, all.size() + 1)});
  const bool bounded = c.items_max < all.size();
  const std::uint64_t end = bounded ? std::max(last, c.items_max) : last;
  ListStates out;
  out.add({0, 0});
  for (std::size_t state = 0; state < out.size() && status_; ++state) {
    const ListStates::Counted at = out.counted(state);
    out.set_may_end(state, at[0] >= std::min<std::uint64_t>(c.items_min, all.size() + 1));
    if (at[0] >= c.items_max) continue;
    for (const std::size_t value : positions[std::min<std::uint64_t>(at[0], prefix)]) {
      if (sets ? (at[1] >> value & 1) != 0 : value < at[1]) continue;
      ListStates::Step step = all[value];
      step.target =
          out.add({std::min(at[0] + 1, end), sets ? at[1] | std::uint64_t{1} << value : value + 1});
      out.add_step(state, std::move(step));
    }
    if (out.is_full()) return refuse(ErrorCode::kExhausted, "got too many values and elements");
  }
  out.trim();
  return out;
}

}  // namespace polaris::schema
