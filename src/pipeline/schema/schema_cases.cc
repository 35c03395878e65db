// What schemas come to: all that they refer to, and the cases that their alternatives leave.
#include <algorithm>
#include <utility>

#include "pipeline/schema/schema_compiler.h"
#include "pipeline/schema/schema_keywords.h"

namespace polaris::schema {
namespace {

constexpr std::size_t kCasesMax = 256;     // of one set of terms
constexpr std::size_t kWorkMax = 100'000;  // cases of all
constexpr std::size_t kPartsMax = 4096;    // that one value must keep

bool is_structured(const JsonValue& value) {
  return value.is(JsonKind::kArray) || value.is(JsonKind::kObject);
}

}  // namespace

bool SchemaCompiler::fail(Error error) {
  if (status_) status_ = std::move(error);
  return false;
}

bool SchemaCompiler::fail(NodeId id, ErrorCode code, const std::string& what) {
  return fail(error_at(tree_, id, code, what));
}

std::optional<NodeId> SchemaCompiler::referred(NodeId reference) {
  const auto to = tree_.resolve(tree_.value(reference).text().value_or(""));
  if (to) return *to;
  fail(reference, to.error().code(), to.error().message());
  return std::nullopt;
}

/// Whether it is a schema of keywords; true and false are kept, or not, at once.
bool SchemaCompiler::is_schema(NodeId id) {
  if (!tree_.value(id).is(JsonKind::kObject)) {
    return fail(id, ErrorCode::kInvalid, "got no schema, wanted an object, true or false");
  }
  if (checked_.insert(id).second) {
    if (auto status = check_keywords(tree_, id); !status) return fail(status.error());
  }
  return true;
}

/// What a schema asks besides its own keywords.
void SchemaCompiler::open_schema(Branch& branch, const Part& part) {
  const NodeId id = part.term.id;
  Owners owners = part.owners;
  for (const std::string_view name : {"unevaluatedProperties", "unevaluatedItems"}) {
    const auto keyword = tree_.find(id, name);
    if (!keyword || tree_.value(*keyword).boolean() == true) continue;
    if (std::find(owners.begin(), owners.end(), id) == owners.end()) owners.push_back(id);
  }
  const auto choose = [&](NodeId keyword) {
    branch.choices.push_back({{keyword, Ask::kFits}, owners});
  };
  const bool conditional = tree_.find(id, "then") || tree_.find(id, "else") || !owners.empty();
  for (const NodeId child : tree_.children(id)) {
    const std::string_view name = tree_.value(child).name();
    if (name == "$ref" || name == "$dynamicRef") {
      if (const auto to = referred(child)) branch.add({*to, Ask::kFits}, owners);
    }
    if (name == "allOf") {
      for (const NodeId one : tree_.children(child)) branch.add({one, Ask::kFits}, owners);
    }
    if (name == "not") branch.add({child, Ask::kFails}, {});
    if (name == "anyOf" || name == "oneOf" || (name == "if" && conditional)) choose(child);
    if (name == "dependentRequired" || name == "dependentSchemas") {
      for (const NodeId member : tree_.children(child)) choose(member);
    }
  }
  branch.parts[branch.next].owners = std::move(owners);
}

/// Looks into all parts. False where nothing keeps them.
bool SchemaCompiler::open(Branch& branch) {
  std::vector<Part> kept;
  for (; branch.next < branch.parts.size() && status_; ++branch.next) {
    const Part part = branch.parts[branch.next];
    const NodeId id = part.term.id;
    const JsonValue& value = tree_.value(id);
    if (branch.parts.size() > kPartsMax) {
      return fail(id, ErrorCode::kExhausted, "got too many schemas for one value");
    }
    const auto [first, fresh] = branch.seen.emplace(part.term, part.owners);
    if (part.term.ask == Ask::kFits || part.term.ask == Ask::kFails) {
      const bool fits = part.term.ask == Ask::kFits;
      if (value.is(JsonKind::kBool)) {
        if (value.boolean() != fits) return false;
        continue;
      }
      if (branch.seen.contains({id, fits ? Ask::kFails : Ask::kFits})) return false;
      if (!fresh && fits && first->second != part.owners) {
        return fail(id, ErrorCode::kUnsupported,
                    "a schema that is come to within and without unevaluated... is not served");
      }
      if (!fresh) continue;
      if (!is_schema(id)) return false;
      if (fits) {
        open_schema(branch, part);
      } else {
        branch.choices.push_back(part);
      }
    } else if (fresh && part.term.ask == Ask::kDiffers && is_structured(value)) {
      branch.choices.push_back(part);
    }
  }
  return status_.ok();
}

/// Adds to `out`.
void SchemaCompiler::find_cases(Branch branch, std::vector<Case>& out) {
  if (!open(branch)) return;
  if (++work_ > kWorkMax || out.size() >= kCasesMax) {
    fail(at_, ErrorCode::kExhausted, "got too many alternatives of alternatives");
    return;
  }
  // Schemas that may be true, and those that leave choices, say nothing by themselves.
  std::vector<Part> parts;
  for (const Part& part : branch.parts) {
    const bool choice = part.term.ask == Ask::kFails || (part.term.ask == Ask::kDiffers &&
                                                         is_structured(tree_.value(part.term.id)));
    const bool truth = part.term.ask == Ask::kFits && tree_.value(part.term.id).is(JsonKind::kBool);
    const bool twice = std::any_of(parts.begin(), parts.end(),
                                   [&](const Part& other) { return other.term == part.term; });
    if (!choice && !truth && !twice) parts.push_back(part);
  }
  auto made = make_case(tree_, parts);
  if (!made) {
    fail(made.error());
    return;
  }
  if ((*made).kinds == 0 || ((*made).values && (*made).values->empty())) return;
  if (branch.choices.empty()) {
    out.push_back(made.take());
    return;
  }
  const Part choice = branch.choices.front();
  branch.choices.erase(branch.choices.begin());
  for (const Terms& way : ways(branch, choice)) {
    if (!status_) return;
    Branch chosen = branch;
    for (const Term& term : way) {
      chosen.add(term, term.ask == Ask::kFits ? choice.owners : Owners());
    }
    find_cases(std::move(chosen), out);
  }
}

std::vector<Case> SchemaCompiler::cases_of(const Terms& terms) {
  std::vector<Case> out;
  find_cases(Branch(terms), out);
  return out;
}

}  // namespace polaris::schema
