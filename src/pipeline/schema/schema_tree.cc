#include "pipeline/schema/schema_tree.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "text/grammar/number_range.h"

namespace polaris::schema {
namespace {

constexpr std::string_view kOne[] = {"items",
                                     "additionalProperties",
                                     "not",
                                     "if",
                                     "then",
                                     "else",
                                     "contains",
                                     "propertyNames",
                                     "unevaluatedItems",
                                     "unevaluatedProperties"};
constexpr std::string_view kMany[] = {
    "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "allOf", "anyOf",
    "oneOf",      "prefixItems"};

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// %25 and the like.
std::string decoded(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool cut = text[i] == '%' && i + 2 < text.size();
    if (cut && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string replaced_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

Result<SchemaTree> SchemaTree::create(JsonValue root) {
  SchemaTree out;
  out.nodes_.push_back({root});
  if (auto status = out.number(); !status) return status.error();
  if (auto status = out.find_anchors(); !status) return status.error();
  return out;
}

Status SchemaTree::number() {
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const JsonValue value = nodes_[id].value;
    const bool object = value.is(JsonKind::kObject);
    if (!object && !value.is(JsonKind::kArray)) continue;
    NodeId last = 0;
    std::uint32_t index = 0;
    for (JsonValue child = value.first(); child; child = child.next()) {
      const auto at = static_cast<NodeId>(nodes_.size());
      nodes_.push_back({child, id, 0, 0, index++});
      (last == 0 ? nodes_[id].first : nodes_[last].next) = at;
      last = at;
      if (object && !members_.emplace(Key{id, child.name()}, at).second) {
        return Error::invalid("[schema] " + pointer(at) + ", got it twice, wanted once");
      }
    }
  }
  return Status::success();
}

Status SchemaTree::find_anchors() {
  std::vector<NodeId> schemas{kRoot};
  while (!schemas.empty()) {
    const NodeId id = schemas.back();
    schemas.pop_back();
    if (!value(id).is(JsonKind::kObject)) continue;
    if (id != kRoot && find(id, "$id")) {
      nodes_[id].apart = true;
      continue;  // its anchors are its own
    }
    for (const std::string_view name : {"$anchor", "$dynamicAnchor"}) {
      const auto anchor = find(id, name);
      const auto text = anchor ? value(*anchor).text() : std::nullopt;
      if (text && !anchors_.emplace(*text, id).second) {
        return Error::invalid("[schema] " + pointer(*anchor) +
                              ", got an anchor that is there twice");
      }
    }
    for (const NodeId child : children(id)) {
      if (is_among(value(child).name(), kOne)) schemas.push_back(child);
      if (!is_among(value(child).name(), kMany)) continue;
      for (const NodeId schema : children(child)) schemas.push_back(schema);
    }
  }
  return Status::success();
}

std::optional<NodeId> SchemaTree::find(NodeId object, std::string_view name) const {
  const auto found = members_.find({object, name});
  return found == members_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<NodeId> SchemaTree::children(NodeId id) const {
  std::vector<NodeId> out;
  for (NodeId child = nodes_[id].first; child != 0; child = nodes_[child].next)
    out.push_back(child);
  return out;
}

std::string_view SchemaTree::name_or_text(NodeId id) const {
  if (value(parent(id)).is(JsonKind::kObject)) return value(id).name();
  return value(id).text().value_or("");
}

std::string SchemaTree::pointer(NodeId id) const {
  std::vector<std::string> parts;
  for (; id != kRoot; id = nodes_[id].parent) {
    const bool named = nodes_[nodes_[id].parent].value.is(JsonKind::kObject);
    std::string part =
        named ? std::string(nodes_[id].value.name()) : std::to_string(nodes_[id].index);
    parts.push_back(replaced_all(replaced_all(std::move(part), "~", "~0"), "/", "~1"));
  }
  std::string out;
  for (std::size_t i = parts.size(); i-- > 0;) out += "/" + parts[i];
  return printable(out, 200);
}

Result<NodeId> SchemaTree::resolve(std::string_view reference) const {
  const auto id = find(kRoot, "$id");
  const auto base = id ? value(*id).text() : std::nullopt;
  if (base && reference.starts_with(*base)) {
    const std::string_view rest = reference.substr(base->size());
    if (rest.empty() || rest.front() == '#') reference = rest;
  }
  const std::string quoted = "'" + printable(reference) + "'";
  if (!reference.empty() && reference.front() != '#') {
    return Error::unsupported("got " + quoted +
                              ", wanted a place of the schema itself, as #/$defs/x");
  }
  if (!reference.empty()) reference.remove_prefix(1);
  const std::string path = decoded(reference);
  if (!path.empty() && path.front() != '/') {
    const auto anchor = anchors_.find(path);
    if (anchor != anchors_.end()) return anchor->second;
    return Error::invalid("got " + quoted + ", which is no anchor");
  }
  NodeId at = kRoot;
  if (path.empty()) return at;
  for (const std::string_view part : split(std::string_view(path).substr(1), '/')) {
    const std::string name = replaced_all(replaced_all(std::string(part), "~1", "/"), "~0", "~");
    std::optional<NodeId> next = find(at, name);
    if (value(at).is(JsonKind::kArray)) {
      const auto index = parse_u64(name);
      const auto all = children(at);
      next = index && *index < all.size() ? std::optional(all[*index]) : std::nullopt;
    }
    if (!next) return Error::invalid("got " + quoted + ", where nothing is");
    at = *next;
    if (is_apart(at)) return Error::unsupported("got " + quoted + ", which leads into another $id");
  }
  return at;
}

bool SchemaTree::equal(NodeId a, NodeId b) const {
  const JsonValue& left = value(a);
  const JsonValue& right = value(b);
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case JsonKind::kNull: return true;
    case JsonKind::kBool: return left.boolean() == right.boolean();
    case JsonKind::kText: return left.text() == right.text();
    case JsonKind::kNumber: {
      // Whole numbers are written in one way, but for 0.
      const auto is_plain = [](std::string_view text) {
        return text != "-0" && text.find_first_of(".eE") == std::string_view::npos;
      };
      if (left.written() == right.written()) return true;
      if (is_plain(left.written()) && is_plain(right.written())) return false;
      const auto x = grammar::Decimal::parse(left.written());
      const auto y = grammar::Decimal::parse(right.written());
      return x && y && *x == *y;
    }
    case JsonKind::kArray:
    case JsonKind::kObject: break;
  }
  const auto all = children(a);
  const auto others = children(b);
  if (all.size() != others.size()) return false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool object = left.is(JsonKind::kObject);
    const auto other = object ? find(b, value(all[i]).name()) : std::optional(others[i]);
    if (!other || !equal(all[i], *other)) return false;
  }
  return true;
}

}  // namespace polaris::schema
