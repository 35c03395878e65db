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

  Result<Case> make(const std::vector<Part>& parts) {
    for (const Part& part : parts) {
      if (part.term.ask != Ask::kFits) {
        if (auto status = take_other(part.term); !status) return status.error();
        continue;
      }
      out_.schemas.push_back(part);
      for (const NodeId child : tree_.children(part.term.id)) {
        if (auto status = take(child); !status) return status.error();
      }
    }
    drop_kinds();
    return std::move(out_);
  }

 private:
  /// Kinds of which no value keeps the bounds.
  void drop_kinds() {
    const auto drop = [&](bool never, unsigned kind) {
      if (never) out_.kinds &= ~kind;
    };
    drop(out_.length_min > out_.length_max, kTextKind);
    drop(out_.items_min > out_.items_max, kListKind);
    drop(out_.properties_min > out_.properties_max, kObjectKind);
    drop(out_.required.size() > out_.properties_max, kObjectKind);
    drop(std::any_of(out_.required.begin(), out_.required.end(),
                     [&](const std::string& name) { return out_.lacked.contains(name); }),
         kObjectKind);
  }

  Status take(NodeId id) {
    const JsonValue& value = tree_.value(id);
    const std::string_view name = value.name();
    if (name == "type") return take_type(id, false);
    if (name == "enum") meet_values(tree_.children(id));
    if (name == "const") meet_values({id});
    if (name == "multipleOf") {
      add_other(out_.multiples, id);
      const auto step = grammar::Decimal::parse(value.written());
      if (step && step->is_whole()) out_.kinds &= ~unsigned{kFractionKind};
    }
    take_number(name, value);
    if (name == "pattern") add_other(out_.patterns, id);
    if (name == "format") return take_format(id, out_.formats);
    if (name == "uniqueItems" && value.boolean() == true) {
      out_.unique = true;
      out_.unique_at = id;
    }
    if (name == "contains") take_contains(id);
    if (name == "propertyNames") out_.name_schemas.push_back(id);
    if (name == "patternProperties") take_patterns(id);
    if (name == "properties") {
      for (const NodeId property : tree_.children(id)) add_name(tree_.value(property).name());
    }
    if (name == "required") {
      for (const NodeId text : tree_.children(id)) require(tree_.name_or_text(text));
    }
    return Status::success();
  }

  Status take_other(Term term) {
    const NodeId id = term.id;
    const NodeId parent = tree_.parent(id);
    const auto only = [&](unsigned kinds) { out_.kinds &= kinds; };
    switch (term.ask) {
      case Ask::kFits:
      case Ask::kFails: break;
      case Ask::kBreaks: return take_broken(id);
      case Ask::kDiffers: add_other(out_.not_values, id); break;
      case Ask::kHas:
        only(kObjectKind);
        require(tree_.name_or_text(id));
        break;
      case Ask::kLacks: only(kObjectKind); [[fallthrough]];
      case Ask::kMayLack: {
        const std::string name(tree_.name_or_text(id));
        add_name(name);
        out_.lacked.insert(name);
        break;
      }
      case Ask::kHasFailing:
      case Ask::kHasDiffering: {
        const bool fails = term.ask == Ask::kHasFailing;
        only(kObjectKind);
        require(tree_.value(id).name());
        out_.members.emplace_back(tree_.value(id).name(),
                                  Term{id, fails ? Ask::kFails : Ask::kDiffers});
        break;
      }
      case Ask::kOtherFails:
        only(kObjectKind);
        out_.others.push_back(term);
        if (const auto own = tree_.find(parent, "properties")) {
          for (const NodeId property : tree_.children(*own)) add_name(tree_.value(property).name());
        }
        if (const auto own = tree_.find(parent, "patternProperties")) take_patterns(*own);
        break;
      case Ask::kOtherName:
        only(kObjectKind);
        out_.others.push_back(term);
        for (const NodeId member : tree_.children(id)) add_name(tree_.value(member).name());
        break;
      case Ask::kNoObject: only(kAllKinds & ~unsigned{kObjectKind}); break;
      case Ask::kElementFails:
      case Ask::kElementDiffers: {
        const bool fails = term.ask == Ask::kElementFails;
        const std::size_t index = tree_.index(id);
        only(kListKind);
        out_.items_min = std::max<std::uint64_t>(out_.items_min, index + 1);
        out_.elements.emplace_back(index, Term{id, fails ? Ask::kFails : Ask::kDiffers});
        break;
      }
      case Ask::kSomeFails: {
        only(kListKind);
        const auto prefix = tree_.find(parent, "prefixItems");
        out_.counts.push_back(
            {{id, Ask::kFails}, 1, UINT64_MAX, prefix ? tree_.value(*prefix).size() : 0});
        break;
      }
      case Ask::kTooFew:
      case Ask::kTooMany: {
        only(kListKind);
        const auto [min, max] = contains_bounds(id);
        if (term.ask == Ask::kTooFew) {
          out_.counts.push_back({{id, Ask::kFits}, 0, min - 1, 0});
        } else {
          out_.counts.push_back({{id, Ask::kFits}, max + 1, UINT64_MAX, 0});
        }
        break;
      }
      case Ask::kNoList: only(kAllKinds & ~unsigned{kListKind}); break;
      case Ask::kShorter:
      case Ask::kLonger: {
        only(kListKind);
        const std::uint64_t size = tree_.value(id).size();
        if (term.ask == Ask::kLonger) {
          out_.items_min = std::max(out_.items_min, size + 1);
        } else if (size > 0) {
          out_.items_max = std::min(out_.items_max, size - 1);
        } else {
          only(0);
        }
        break;
      }
    }
    return Status::success();
  }

  /// A value of the kind that a keyword speaks of, which does not keep it.
  Status take_broken(NodeId id) {
    const JsonValue& value = tree_.value(id);
    const std::string_view name = value.name();
    if (name == "type") return take_type(id, true);
    const auto number = grammar::Decimal::parse(value.written());
    const std::uint64_t count =
        number ? parse_u64(number->whole).value_or(UINT64_MAX) : std::uint64_t{0};
    const auto only = [&](unsigned kinds) { out_.kinds &= kinds; };
    if (name == "minimum") out_.numbers.meet({{}, number, false, true});
    if (name == "exclusiveMinimum") out_.numbers.meet({{}, number, false, false});
    if (name == "maximum") out_.numbers.meet({number, {}, true, false});
    if (name == "exclusiveMaximum") out_.numbers.meet({number, {}, false, false});
    if (name == "multipleOf") add_other(out_.not_multiples, id);
    if (name == "pattern") add_other(out_.not_patterns, id);
    const bool of_number = name.ends_with("imum") || name == "multipleOf";
    const bool of_text = name.ends_with("Length") || name == "pattern" || name == "format";
    const bool of_list = name.ends_with("Items");
    only(of_number ? kNumberKinds : of_text ? kTextKind : of_list ? kListKind : kObjectKind);
    std::uint64_t& least = of_text   ? out_.length_min
                           : of_list ? out_.items_min
                                     : out_.properties_min;
    std::uint64_t& most = of_text   ? out_.length_max
                          : of_list ? out_.items_max
                                    : out_.properties_max;
    if (name == "minLength" || name == "minItems" || name == "minProperties") {
      if (count == 0) only(0);
      if (count > 0) most = std::min(most, count - 1);
    }
    if (name == "maxLength" || name == "maxItems" || name == "maxProperties") {
      least = std::max(least, count == UINT64_MAX ? count : count + 1);
    }
    return name == "format" ? take_format(id, out_.not_formats) : Status::success();
  }

  /// From how many to how many elements `contains` wants.
  std::pair<std::uint64_t, std::uint64_t> contains_bounds(NodeId id) const {
    const NodeId schema = tree_.parent(id);
    const auto bound = [&](std::string_view name, std::uint64_t otherwise) {
      const auto node = tree_.find(schema, name);
      const auto number =
          node ? grammar::Decimal::parse(tree_.value(*node).written()) : std::nullopt;
      return number ? parse_u64(number->whole).value_or(UINT64_MAX) : otherwise;
    };
    return {bound("minContains", 1), bound("maxContains", UINT64_MAX)};
  }

  void take_contains(NodeId id) {
    const auto [min, max] = contains_bounds(id);
    out_.counts.push_back({{id, Ask::kFits}, min, max, 0});
  }

  void take_patterns(NodeId id) {
    for (const NodeId pattern : tree_.children(id)) {
      const auto same = [&](NodeId other) {
        return tree_.value(other).name() == tree_.value(pattern).name();
      };
      if (std::none_of(out_.name_patterns.begin(), out_.name_patterns.end(), same)) {
        out_.name_patterns.push_back(pattern);
      }
    }
  }

  void require(std::string_view name) {
    add_name(name);
    out_.required.emplace(name);
  }

  Status take_type(NodeId id, bool broken) {
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
    out_.kinds &= broken ? ~kinds : kinds;
    if (known) return Status::success();
    return error_at(tree_, id, ErrorCode::kInvalid, "got a type that there is not");
  }

  Status take_format(NodeId id, std::vector<NodeId>& formats) const {
    const auto name = tree_.value(id).text().value_or("");
    if (grammar::format_gbnf(name).empty()) {
      return error_at(tree_, id, ErrorCode::kUnsupported,
                      "got '" + printable(name) + "', wanted one of " + grammar::format_names());
    }
    add_other(formats, id);
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

Result<Case> make_case(const SchemaTree& tree, const std::vector<Part>& parts) {
  return CaseMaker(tree).make(parts);
}

}  // namespace polaris::schema
