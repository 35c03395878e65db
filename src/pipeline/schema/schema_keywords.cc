#include "pipeline/schema/schema_keywords.h"

#include <algorithm>
#include <string>

#include "text/grammar/number_range.h"

namespace polaris::schema {
namespace {

enum class Wanted : std::uint8_t {
  kSchema,   // true, false or an object
  kSchemas,  // a list of them
  kNamed,    // an object of them
  kCount,    // a whole number, 0 or more
  kNumber,
  kStep,  // a number above 0
  kBool,
  kText,
  kTexts,       // a list of them
  kNamedTexts,  // an object of such lists
  kList,
  kAny,
};
struct Keyword {
  std::string_view name;
  Wanted wanted;
};
constexpr Keyword kServed[] = {
    {"$ref", Wanted::kText},
    {"$dynamicRef", Wanted::kText},
    {"$defs", Wanted::kNamed},
    {"allOf", Wanted::kSchemas},
    {"anyOf", Wanted::kSchemas},
    {"oneOf", Wanted::kSchemas},
    {"not", Wanted::kSchema},
    {"if", Wanted::kSchema},
    {"then", Wanted::kSchema},
    {"else", Wanted::kSchema},
    {"dependentSchemas", Wanted::kNamed},
    {"dependentRequired", Wanted::kNamedTexts},
    {"type", Wanted::kAny},
    {"enum", Wanted::kList},
    {"const", Wanted::kAny},
    {"minimum", Wanted::kNumber},
    {"maximum", Wanted::kNumber},
    {"exclusiveMinimum", Wanted::kNumber},
    {"exclusiveMaximum", Wanted::kNumber},
    {"multipleOf", Wanted::kStep},
    {"minLength", Wanted::kCount},
    {"maxLength", Wanted::kCount},
    {"pattern", Wanted::kText},
    {"format", Wanted::kText},
    {"items", Wanted::kSchema},
    {"prefixItems", Wanted::kSchemas},
    {"minItems", Wanted::kCount},
    {"maxItems", Wanted::kCount},
    {"uniqueItems", Wanted::kBool},
    {"contains", Wanted::kSchema},
    {"minContains", Wanted::kCount},
    {"maxContains", Wanted::kCount},
    {"unevaluatedItems", Wanted::kSchema},
    {"properties", Wanted::kNamed},
    {"required", Wanted::kTexts},
    {"additionalProperties", Wanted::kSchema},
    {"patternProperties", Wanted::kNamed},
    {"propertyNames", Wanted::kSchema},
    {"unevaluatedProperties", Wanted::kSchema},
    {"minProperties", Wanted::kCount},
    {"maxProperties", Wanted::kCount},
};
constexpr std::string_view kRefused[] = {"dependencies", "$recursiveRef", "additionalItems"};

bool is_schema(const JsonValue& value) {
  return value.is(JsonKind::kObject) || value.is(JsonKind::kBool);
}

template <class Is>
bool all_of(const JsonValue& parent, Is&& is) {
  for (JsonValue child = parent.first(); child; child = child.next()) {
    if (!is(child)) return false;
  }
  return true;
}

bool is_texts(const JsonValue& value) {
  return value.is(JsonKind::kArray) &&
         all_of(value, [](const JsonValue& v) { return v.is(JsonKind::kText); });
}

bool fits(const JsonValue& value, Wanted wanted) {
  const bool list = value.is(JsonKind::kArray);
  switch (wanted) {
    case Wanted::kSchema: return is_schema(value);
    case Wanted::kSchemas: return list && value.size() > 0 && all_of(value, is_schema);
    case Wanted::kNamed: return value.is(JsonKind::kObject) && all_of(value, is_schema);
    case Wanted::kCount: {
      const auto number = grammar::Decimal::parse(value.written());
      return number && number->is_whole() && !number->negative;
    }
    case Wanted::kNumber: return grammar::Decimal::parse(value.written()).has_value();
    case Wanted::kText: return value.is(JsonKind::kText);
    case Wanted::kBool: return value.is(JsonKind::kBool);
    case Wanted::kStep: {
      const auto number = grammar::Decimal::parse(value.written());
      return number && !number->is_zero() && !number->negative;
    }
    case Wanted::kTexts: return is_texts(value);
    case Wanted::kNamedTexts: return value.is(JsonKind::kObject) && all_of(value, is_texts);
    case Wanted::kList: return list;
    case Wanted::kAny: return true;
  }
  return false;
}

std::string_view name_of(Wanted wanted) {
  switch (wanted) {
    case Wanted::kSchema: return "a schema";
    case Wanted::kSchemas: return "a list of schemas";
    case Wanted::kNamed: return "an object of schemas";
    case Wanted::kCount: return "a whole number, 0 or more";
    case Wanted::kNumber: return "a number of at most 400 digits";
    case Wanted::kText: return "a text";
    case Wanted::kTexts: return "a list of texts";
    case Wanted::kNamedTexts: return "an object of lists of texts";
    case Wanted::kStep: return "a number above 0, of at most 400 digits";
    case Wanted::kBool: return "true or false";
    case Wanted::kList: return "a list";
    case Wanted::kAny: break;
  }
  return "a value";
}

}  // namespace

bool says_nothing(const JsonValue& value) {
  const std::string_view name = value.name();
  if (name == "uniqueItems") return value.boolean() == false;
  const bool empty = value.is(JsonKind::kObject) && value.size() == 0;
  if (name == "propertyNames" || name.starts_with("unevaluated")) {
    return empty || value.boolean() == true;
  }
  return empty && (name == "patternProperties" || name == "dependencies");
}

Error error_at(const SchemaTree& tree, NodeId id, ErrorCode code, const std::string& what) {
  const std::string pointer = tree.pointer(id);
  return Error(code, "[schema] " + (pointer.empty() ? "the root" : pointer) + ": " + what);
}

Status check_keywords(const SchemaTree& tree, NodeId schema) {
  for (const NodeId child : tree.children(schema)) {
    const JsonValue& value = tree.value(child);
    const std::string_view name = value.name();
    const auto unserved = [&](const std::string& why) {
      return error_at(tree, child, ErrorCode::kUnsupported, why);
    };
    for (const Keyword& keyword : kServed) {
      if (keyword.name != name || fits(value, keyword.wanted)) continue;
      return error_at(tree, child, ErrorCode::kInvalid,
                      "got another value, wanted " + std::string(name_of(keyword.wanted)));
    }
    const bool refused =
        std::find(std::begin(kRefused), std::end(kRefused), name) != std::end(kRefused);
    if (refused && !says_nothing(value)) return unserved("a grammar does not serve it");
    if (name == "$id" && schema != SchemaTree::kRoot) {
      return unserved("a schema within a schema that has its own $id is not served");
    }
    const auto text = value.text();
    if (name == "$schema" && (!text || text->find("json-schema.org/") == std::string_view::npos)) {
      return unserved("got another dialect, wanted one of json-schema.org");
    }
  }
  return Status::success();
}

}  // namespace polaris::schema
