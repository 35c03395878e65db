// What schemas refer to, their alternatives, and whether anything fits them.
#include <algorithm>
#include <utility>

#include "pipeline/schema/schema_compiler.h"
#include "pipeline/schema/schema_keywords.h"

namespace polaris::schema {
namespace {

constexpr std::size_t kCasesMax = 256;     // of one set of schemas
constexpr std::size_t kWorkMax = 200'000;  // cases of all
constexpr std::size_t kPartsMax = 4096;    // schemas that one value must fit
constexpr int kDepthMax = 48;

}  // namespace

bool SchemaCompiler::fail(Error error) {
  if (status_) status_ = std::move(error);
  return false;
}

bool SchemaCompiler::fail(NodeId id, ErrorCode code, const std::string& what) {
  return fail(error_at(tree_, id, code, what));
}

SchemaCompiler::Parts SchemaCompiler::parts_of(const std::vector<NodeId>& schemas) {
  Parts out;
  for (const NodeId id : schemas) out.push_back({id});
  return out;
}

bool SchemaCompiler::flatten(Parts& parts) {
  std::map<NodeId, std::size_t> seen;
  Parts out;
  // Those that alternatives were chosen of come first, so that what leads back to them adds
  // nothing.
  std::stable_partition(parts.begin(), parts.end(),
                        [](const Part& p) { return p.any_chosen || p.one_chosen; });
  for (std::size_t i = 0; i < parts.size() && status_; ++i) {
    const Part part = parts[i];
    const JsonValue& value = tree_.value(part.id);
    if (value.boolean() == false) return false;
    if (value.boolean() == true) continue;
    if (!value.is(JsonKind::kObject)) {
      return fail(part.id, ErrorCode::kInvalid, "got no schema, wanted an object, true or false");
    }
    const auto [at, fresh] = seen.emplace(part.id, out.size());
    if (!fresh) {
      out[at->second].any_chosen |= part.any_chosen;
      out[at->second].one_chosen |= part.one_chosen;
      continue;
    }
    if (checked_.insert(part.id).second) {
      if (auto status = check_keywords(tree_, part.id); !status) return fail(status.error());
    }
    out.push_back(part);
    if (const auto reference = tree_.find(part.id, "$ref")) {
      const auto to = tree_.resolve(tree_.value(*reference).text().value_or(""));
      if (!to) return fail(*reference, to.error().code(), to.error().message());
      parts.push_back({*to});
    }
    if (const auto all = tree_.find(part.id, "allOf")) {
      for (const NodeId child : tree_.children(*all)) parts.push_back({child});
    }
    if (parts.size() > kPartsMax) {
      return fail(part.id, ErrorCode::kExhausted, "got too many schemas for one value");
    }
  }
  parts = std::move(out);
  return status_.ok();
}

void SchemaCompiler::find_cases(Parts parts, std::vector<Case>& out) {
  if (!flatten(parts)) return;
  if (++work_ > kWorkMax || out.size() >= kCasesMax) {
    fail(at_, ErrorCode::kExhausted, "got too many alternatives of alternatives");
    return;
  }
  for (Part& part : parts) {
    const bool any = !part.any_chosen;
    const auto found = any ? tree_.find(part.id, "anyOf") : std::nullopt;
    const auto one = !found && !part.one_chosen ? tree_.find(part.id, "oneOf") : std::nullopt;
    if (!found && !one) continue;
    (found ? part.any_chosen : part.one_chosen) = true;
    const NodeId list = found ? *found : *one;
    const auto alternatives = tree_.children(list);
    if (one) check_one(parts, alternatives, list);
    for (const NodeId alternative : alternatives) {
      if (!status_) return;
      Parts chosen = parts;
      chosen.push_back({alternative});
      find_cases(std::move(chosen), out);
    }
    return;
  }
  std::vector<NodeId> schemas;
  for (const Part& part : parts) schemas.push_back(part.id);
  auto made = make_case(tree_, std::move(schemas));
  if (made) {
    out.push_back(made.take());
  } else {
    fail(made.error());
  }
}

/// One alone fits where no value fits two; where that cannot be told it is refused.
void SchemaCompiler::check_one(const Parts& base, const std::vector<NodeId>& alternatives,
                               NodeId one) {
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    for (std::size_t j = i + 1; j < alternatives.size() && status_; ++j) {
      Parts both = base;
      both.push_back({alternatives[i]});
      both.push_back({alternatives[j]});
      std::vector<Case> cases;
      find_cases(std::move(both), cases);
      const bool never =
          std::all_of(cases.begin(), cases.end(), [&](const Case& c) { return is_never(c, 0); });
      if (never) continue;
      fail(one, ErrorCode::kUnsupported,
           "a value may fit alternatives " + std::to_string(i) + " and " + std::to_string(j) +
               " at once, wanted such as exclude each other, or anyOf");
      return;
    }
  }
}

std::vector<Case> SchemaCompiler::cases_of(const std::vector<NodeId>& schemas) {
  std::vector<Case> out;
  find_cases(parts_of(schemas), out);
  return out;
}

bool SchemaCompiler::is_never(const std::vector<NodeId>& schemas, int depth) {
  if (depth > kDepthMax || !status_) return false;
  std::vector<NodeId> key = schemas;
  std::sort(key.begin(), key.end());
  const auto [known, fresh] = never_.try_emplace(key, false);
  if (!fresh) return known->second;
  bool never = true;
  for (const Case& c : cases_of(schemas)) never = never && is_never(c, depth + 1);
  return never_[key] = never;
}

bool SchemaCompiler::has_numbers(const Case& c) const {
  grammar::Rules scratch;
  if (!c.numbers.low && !c.numbers.high) return (c.kinds & (kWholeKind | kFractionKind)) != 0;
  if ((c.kinds & kFractionKind) != 0) return grammar::all_numbers(scratch, c.numbers).has_value();
  return (c.kinds & kWholeKind) != 0 && grammar::whole_numbers(scratch, c.numbers).has_value();
}

bool SchemaCompiler::has_objects(const Case& c, int depth) {
  if (c.properties_min > c.properties_max || c.required.size() > c.properties_max) return false;
  return std::none_of(c.required.begin(), c.required.end(), [&](const std::string& name) {
    return is_never(property_schemas(tree_, c, name), depth);
  });
}

bool SchemaCompiler::is_never(const Case& c, int depth) {
  if (c.values) {
    return std::none_of(c.values->begin(), c.values->end(),
                        [&](NodeId value) { return admits(c, value); });
  }
  if ((c.kinds & (kNullKind | kBoolKind)) != 0 || has_numbers(c)) return false;
  if ((c.kinds & kTextKind) != 0 && c.length_min <= c.length_max) return false;
  if ((c.kinds & kListKind) != 0 && c.items_min <= c.items_max) {
    const std::uint64_t own = prefix_length(tree_, c);
    bool never = false;
    for (std::uint64_t i = 0; i < std::min(c.items_min, own + 1) && !never; ++i) {
      never = is_never(element_schemas(tree_, c, i), depth);
    }
    if (!never) return false;
  }
  return (c.kinds & kObjectKind) == 0 || !has_objects(c, depth);
}

}  // namespace polaris::schema
