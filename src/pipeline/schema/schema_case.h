#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/schema/schema_term.h"
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
  kNumberKinds = kWholeKind | kFractionKind,
  kAllKinds = 127,
};

/// How many elements from `from` on fit a term.
struct Count {
  Term term;
  std::uint64_t min = 0;
  std::uint64_t max = UINT64_MAX;
  std::size_t from = 0;
};

/// Terms that a value must keep all of, none of which leaves a choice any more, put together. Lists
/// of nodes have no two that are equal.
struct Case {
  std::vector<Part> schemas;  // that fit
  unsigned kinds = kAllKinds;
  std::optional<std::vector<NodeId>> values;  // it is one of these
  std::vector<NodeId> not_values;             // and none of these: no lists, no objects
  grammar::NumberBounds numbers;
  std::vector<NodeId> multiples;
  std::vector<NodeId> not_multiples;
  std::uint64_t length_min = 0;
  std::uint64_t length_max = UINT64_MAX;
  std::vector<NodeId> patterns;
  std::vector<NodeId> not_patterns;
  std::vector<NodeId> formats;
  std::vector<NodeId> not_formats;
  std::uint64_t items_min = 0;
  std::uint64_t items_max = UINT64_MAX;
  bool unique = false;
  NodeId unique_at = 0;
  std::vector<Count> counts;
  std::vector<std::pair<std::size_t, Term>> elements;  // of lists, by index
  std::uint64_t properties_min = 0;
  std::uint64_t properties_max = UINT64_MAX;
  std::vector<std::string> names;  // of properties that are told of, in order
  std::set<std::string, std::less<>> required;
  std::set<std::string, std::less<>> lacked;
  std::vector<std::pair<std::string, Term>> members;  // of objects, by name
  std::vector<NodeId> name_patterns;                  // members of patternProperties
  std::vector<NodeId> name_schemas;                   // of propertyNames
  std::vector<Term> others;  // kOtherFails, kOtherName: for each a property that nobody names
};

/// Errors: invalid (a type that there is not), unsupported (a format that there is not).
Result<Case> make_case(const SchemaTree& tree, const std::vector<Part>& parts);

/// What element `index` must keep, of which `counted` says whether it is of each count.
Terms element_terms(const SchemaTree& tree, const Case& c, std::size_t index,
                    const std::vector<bool>& counted = {});
/// Elements that have terms of their own.
std::size_t prefix_length(const SchemaTree& tree, const Case& c);

/// Whether a property's name is of a pattern, which is a member of patternProperties.
using OfPattern = std::function<bool(NodeId)>;
/// What the property `name` must keep; without a name, one that nobody names.
Terms member_terms(const SchemaTree& tree, const Case& c, std::optional<std::string_view> name,
                   const OfPattern& matches);

}  // namespace polaris::schema
