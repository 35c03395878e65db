// What elements and properties of a case must keep, with what evaluates them.
#include <algorithm>

#include "pipeline/schema/schema_case.h"

namespace polaris::schema {
namespace {

bool is_owned(const Part& part, NodeId owner) {
  return std::find(part.owners.begin(), part.owners.end(), owner) != part.owners.end();
}

/// The elements that prefixItems of a schema have.
std::size_t own_length(const SchemaTree& tree, NodeId schema) {
  const auto prefix = tree.find(schema, "prefixItems");
  return prefix ? tree.value(*prefix).size() : 0;
}

bool evaluates_element(const SchemaTree& tree, const Case& c, NodeId schema, std::size_t index,
                       const std::vector<bool>& counted) {
  if (index < own_length(tree, schema) || tree.find(schema, "items")) return true;
  const auto contains = tree.find(schema, "contains");
  for (std::size_t i = 0; contains && i < counted.size(); ++i) {
    if (counted[i] && c.counts[i].term == Term{*contains, Ask::kFits}) return true;
  }
  return false;
}

bool evaluates_member(const SchemaTree& tree, NodeId schema, std::optional<std::string_view> name,
                      const OfPattern& matches) {
  if (tree.find(schema, "additionalProperties")) return true;
  const auto properties = tree.find(schema, "properties");
  if (properties && name && tree.find(*properties, *name)) return true;
  const auto patterns = tree.find(schema, "patternProperties");
  if (!patterns) return false;
  const auto all = tree.children(*patterns);
  return std::any_of(all.begin(), all.end(), matches);
}

/// What is not evaluated by any schema that belongs to an unevaluated... keyword must fit it.
template <class Evaluates>
void add_unevaluated(const SchemaTree& tree, const Case& c, std::string_view keyword,
                     Evaluates&& evaluates, Terms& out) {
  for (const Part& owner : c.schemas) {
    const auto schema = tree.find(owner.term.id, keyword);
    if (!schema) continue;
    const bool evaluated = std::any_of(c.schemas.begin(), c.schemas.end(), [&](const Part& part) {
      if (!is_owned(part, owner.term.id)) return false;
      const bool inner = part.term != owner.term && tree.find(part.term.id, keyword);
      return inner || evaluates(part.term.id);
    });
    if (!evaluated) out.push_back({*schema, Ask::kFits});
  }
}

}  // namespace

Terms element_terms(const SchemaTree& tree, const Case& c, std::size_t index,
                    const std::vector<bool>& counted) {
  Terms out;
  for (const Part& part : c.schemas) {
    const auto prefix = tree.find(part.term.id, "prefixItems");
    const auto items = tree.find(part.term.id, "items");
    if (prefix && index < tree.value(*prefix).size()) {
      out.push_back({tree.children(*prefix)[index], Ask::kFits});
    } else if (items) {
      out.push_back({*items, Ask::kFits});
    }
  }
  for (const auto& [at, term] : c.elements) {
    if (at == index) out.push_back(term);
  }
  for (std::size_t i = 0; i < counted.size(); ++i) {
    if (index < c.counts[i].from) continue;
    Term term = c.counts[i].term;
    if (!counted[i]) term.ask = term.ask == Ask::kFits ? Ask::kFails : Ask::kFits;
    out.push_back(term);
  }
  add_unevaluated(
      tree, c, "unevaluatedItems",
      [&](NodeId schema) { return evaluates_element(tree, c, schema, index, counted); }, out);
  return out;
}

std::size_t prefix_length(const SchemaTree& tree, const Case& c) {
  std::size_t out = 0;
  for (const Part& part : c.schemas) out = std::max(out, own_length(tree, part.term.id));
  for (const auto& [at, term] : c.elements) out = std::max(out, at + 1);
  return out;
}

Terms member_terms(const SchemaTree& tree, const Case& c, std::optional<std::string_view> name,
                   const OfPattern& matches) {
  Terms out;
  for (const Part& part : c.schemas) {
    const NodeId schema = part.term.id;
    bool own = false;
    const auto add = [&](NodeId id) {
      out.push_back({id, Ask::kFits});
      own = true;
    };
    const auto properties = tree.find(schema, "properties");
    const auto property = properties && name ? tree.find(*properties, *name) : std::nullopt;
    if (property) add(*property);
    if (const auto patterns = tree.find(schema, "patternProperties")) {
      for (const NodeId pattern : tree.children(*patterns)) {
        if (matches(pattern)) add(pattern);
      }
    }
    const auto other = tree.find(schema, "additionalProperties");
    if (!own && other) out.push_back({*other, Ask::kFits});
  }
  for (const auto& [of, term] : c.members) {
    if (of == name) out.push_back(term);
  }
  add_unevaluated(
      tree, c, "unevaluatedProperties",
      [&](NodeId schema) { return evaluates_member(tree, schema, name, matches); }, out);
  return out;
}

}  // namespace polaris::schema
