#include "pipeline/schema/schema_case.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "pipeline/schema/schema_keywords.h"
#include "text/grammar/format.h"

namespace polaris::schema {
namespace {

unsigned kinds_of_name(std::string_view name) {
  constexpr std::pair<std::string_view, unsigned> kNames[] = {
      {"null", kNullKind},
      {"boolean", kBoolKind},
      {"integer", kWholeKind},
      {"string", kTextKind},
      {"array", kListKind},
      {"object", kObjectKind},
      {"number", kWholeKind | kFractionKind}};
  for (const auto& [known, kinds] : kNames) {
    if (known == name) return kinds;
  }
  return 0;
}

class CaseMaker {
 public:
  explicit CaseMaker(const SchemaTree& tree) : tree_(tree) {}

  Result<Case> make(std::vector<NodeId> schemas) {
    out_.schemas = std::move(schemas);
    for (const NodeId schema : out_.schemas) {
      for (const NodeId child : tree_.children(schema)) {
        if (auto status = take(child); !status) return status.error();
      }
    }
    return std::move(out_);
  }

 private:
  Status take(NodeId id) {
    const JsonValue& value = tree_.value(id);
    const std::string_view name = value.name();
    if (name == "type") return take_type(id);
    if (name == "enum") meet_values(tree_.children(id));
    if (name == "const") meet_values({id});
    if (name == "multipleOf") out_.kinds &= ~unsigned{kFractionKind};
    take_number(name, value);
    if (name == "pattern") add_other(out_.patterns, id);
    if (name == "format") return take_format(id);
    if (name == "properties") {
      for (const NodeId property : tree_.children(id)) add_name(tree_.value(property).name());
    }
    if (name == "required") {
      for (const NodeId text : tree_.children(id)) {
        const std::string required(tree_.value(text).text().value_or(""));
        add_name(required);
        out_.required.insert(required);
      }
    }
    return Status::success();
  }

  Status take_type(NodeId id) {
    const JsonValue& value = tree_.value(id);
    unsigned kinds = 0;
    const auto add = [&](NodeId at) {
      const unsigned more = kinds_of_name(tree_.value(at).text().value_or(""));
      kinds |= more;
      return more != 0;
    };
    bool known = true;
    if (value.is(JsonKind::kArray)) {
      for (const NodeId child : tree_.children(id)) known = add(child) && known;
    } else {
      known = add(id);
    }
    out_.kinds &= kinds;
    if (known) return Status::success();
    return error_at(tree_, id, ErrorCode::kInvalid, "got a type that there is not");
  }

  Status take_format(NodeId id) {
    const auto name = tree_.value(id).text().value_or("");
    if (grammar::format_gbnf(name).empty()) {
      return error_at(tree_, id, ErrorCode::kUnsupported,
                      "got '" + printable(name) + "', wanted one of " + grammar::format_names());
    }
    add_other(out_.formats, id);
    return Status::success();
  }

  void take_number(std::string_view name, const JsonValue& value) {
    const auto number = grammar::Decimal::parse(value.written());
    if (!number) return;
    if (name == "minimum") out_.numbers.meet({number, {}, false, false});
    if (name == "exclusiveMinimum") out_.numbers.meet({number, {}, true, false});
    if (name == "maximum") out_.numbers.meet({{}, number, false, false});
    if (name == "exclusiveMaximum") out_.numbers.meet({{}, number, false, true});
    // More than can be counted is as good as the most.
    const std::uint64_t count = parse_u64(number->whole).value_or(UINT64_MAX);
    const auto raise = [&](std::string_view wanted, std::uint64_t& least) {
      if (name == wanted) least = std::max(least, count);
    };
    const auto lower = [&](std::string_view wanted, std::uint64_t& most) {
      if (name == wanted) most = std::min(most, count);
    };
    raise("minLength", out_.length_min);
    lower("maxLength", out_.length_max);
    raise("minItems", out_.items_min);
    lower("maxItems", out_.items_max);
    raise("minProperties", out_.properties_min);
    lower("maxProperties", out_.properties_max);
  }

  void meet_values(const std::vector<NodeId>& values) {
    std::vector<NodeId> met;
    for (const NodeId value : values) {
      const auto same = [&](NodeId other) { return tree_.equal(value, other); };
      if (std::any_of(met.begin(), met.end(), same)) continue;
      if (!out_.values || std::any_of(out_.values->begin(), out_.values->end(), same)) {
        met.push_back(value);
      }
    }
    out_.values = std::move(met);
  }

  void add_other(std::vector<NodeId>& texts, NodeId id) const {
    const auto same = [&](NodeId other) { return tree_.equal(id, other); };
    if (std::none_of(texts.begin(), texts.end(), same)) texts.push_back(id);
  }

  void add_name(std::string_view name) {
    if (seen_.emplace(name).second) out_.names.emplace_back(name);
  }

  const SchemaTree& tree_;
  Case out_;
  std::set<std::string, std::less<>> seen_;
};

}  // namespace

Result<Case> make_case(const SchemaTree& tree, std::vector<NodeId> schemas) {
  return CaseMaker(tree).make(std::move(schemas));
}

std::vector<NodeId> element_schemas(const SchemaTree& tree, const Case& c, std::size_t index) {
  std::vector<NodeId> out;
  for (const NodeId schema : c.schemas) {
    const auto prefix = tree.find(schema, "prefixItems");
    const auto own = prefix ? tree.children(*prefix) : std::vector<NodeId>();
    const auto items = tree.find(schema, "items");
    if (index < own.size()) {
      out.push_back(own[index]);
    } else if (items) {
      out.push_back(*items);
    }
  }
  return out;
}

std::size_t prefix_length(const SchemaTree& tree, const Case& c) {
  std::size_t out = 0;
  for (const NodeId schema : c.schemas) {
    const auto prefix = tree.find(schema, "prefixItems");
    if (prefix) out = std::max(out, tree.value(*prefix).size());
  }
  return out;
}

std::vector<NodeId> property_schemas(const SchemaTree& tree, const Case& c, std::string_view name) {
  std::vector<NodeId> out;
  for (const NodeId schema : c.schemas) {
    const auto properties = tree.find(schema, "properties");
    // The root is nobody's property.
    const NodeId own = properties ? tree.find(*properties, name).value_or(0) : 0;
    const auto other = tree.find(schema, "additionalProperties");
    if (own != 0) {
      out.push_back(own);
    } else if (other) {
      out.push_back(*other);
    }
  }
  return out;
}

std::vector<NodeId> other_schemas(const SchemaTree& tree, const Case& c) {
  std::vector<NodeId> out;
  for (const NodeId schema : c.schemas) {
    if (const auto other = tree.find(schema, "additionalProperties")) out.push_back(*other);
  }
  return out;
}

}  // namespace polaris::schema
