// Whether nothing keeps a case, as far as that can be told before its rules are made.
#include <algorithm>
#include <utility>

#include "pipeline/schema/schema_compiler.h"

namespace polaris::schema {
namespace {

constexpr int kDepthMax = 48;

}  // namespace

bool SchemaCompiler::is_never(const Terms& terms, int depth) {
  if (depth > kDepthMax || !status_) return false;
  Terms key = terms;
  std::sort(key.begin(), key.end());
  // What is being asked already is taken to fit.
  const auto [known, fresh] = never_.try_emplace(key, false);
  if (!fresh) return known->second;
  bool never = true;
  for (const Case& c : cases_of(terms)) never = never && is_never(c, depth + 1);
  return never_[key] = never;
}

bool SchemaCompiler::is_never(const Case& c, int depth) {
  if (c.values) {
    return std::none_of(c.values->begin(), c.values->end(),
                        [&](NodeId value) { return admits(c, value); });
  }
  if (!words_of(c).empty() || has_numbers(c)) return false;
  if ((c.kinds & kTextKind) != 0 && has_texts(c)) return false;
  if ((c.kinds & kListKind) != 0 && has_lists(c, depth)) return false;
  return (c.kinds & kObjectKind) == 0 || !has_objects(c, depth);
}

/// null, true and false.
std::vector<std::string> SchemaCompiler::words_of(const Case& c) const {
  std::vector<std::string> out;
  const auto add = [&](unsigned kind, std::string_view word) {
    const bool differs = std::any_of(c.not_values.begin(), c.not_values.end(), [&](NodeId id) {
      const JsonValue& value = tree_.value(id);
      if (value.is(JsonKind::kNull)) return word == "null";
      return value.is(JsonKind::kBool) && *value.boolean() == (word == "true");
    });
    if ((c.kinds & kind) != 0 && !differs) out.emplace_back(word);
  };
  add(kNullKind, "null");
  add(kBoolKind, "true");
  add(kBoolKind, "false");
  return out;
}

}  // namespace polaris::schema
