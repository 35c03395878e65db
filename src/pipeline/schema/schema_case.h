#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/schema/schema_tree.h"
#include "text/grammar/number_range.h"

namespace polaris::schema {

/// Kinds of values, a bit each.
enum Kinds : unsigned {
  kNullKind = 1,
  kBoolKind = 2,
  kWholeKind = 4,
  kFractionKind = 8,  // numbers that are not whole
  kTextKind = 16,
  kListKind = 32,
  kObjectKind = 64,
  kAllKinds = 127,
};

/// Schemas that a value must fit all of, none of which has alternatives any more, put together.
struct Case {
  std::vector<NodeId> schemas;
  unsigned kinds = kAllKinds;
  std::optional<std::vector<NodeId>> values;  // it is one of these
  grammar::NumberBounds numbers;
  std::uint64_t length_min = 0;
  std::uint64_t length_max = UINT64_MAX;
  std::vector<NodeId> patterns;  // each another one
  std::vector<NodeId> formats;   // the same
  std::uint64_t items_min = 0;
  std::uint64_t items_max = UINT64_MAX;
  std::uint64_t properties_min = 0;
  std::uint64_t properties_max = UINT64_MAX;
  std::vector<std::string> names;  // of properties that are declared or required, in order
  std::set<std::string, std::less<>> required;
};

/// Errors: invalid (a type that there is not), unsupported (a format that there is not).
Result<Case> make_case(const SchemaTree& tree, std::vector<NodeId> schemas);

/// The schemas that element `index`, the property `name`, and properties of other names must fit.
std::vector<NodeId> element_schemas(const SchemaTree& tree, const Case& c, std::size_t index);
std::vector<NodeId> property_schemas(const SchemaTree& tree, const Case& c, std::string_view name);
std::vector<NodeId> other_schemas(const SchemaTree& tree, const Case& c);
/// Elements that have schemas of their own.
std::size_t prefix_length(const SchemaTree& tree, const Case& c);

}  // namespace polaris::schema
