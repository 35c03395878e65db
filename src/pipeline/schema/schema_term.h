#pragma once
#include <compare>
#include <cstdint>
#include <vector>

#include "pipeline/schema/schema_tree.h"

namespace polaris::schema {

/// What a place of the schema asks of a value.
enum class Ask : std::uint8_t {
  kFits,            // a schema: that it fits
  kFails,           // a schema: that it does not
  kBreaks,          // a keyword like minimum: that it is of the keyword's kind and breaks it
  kDiffers,         // a value: that it is another one
  kHas,             // a name, or a member's: that it is an object with such a property
  kLacks,           // the same: an object without
  kMayLack,         // the same: an object without, or none
  kHasFailing,      // a schema of `properties`: an object with the property, which does not fit
  kHasDiffering,    // a member of a value: an object with the property, of another value
  kOtherFails,      // `additionalProperties`: an object with one that nobody names and fails it
  kOtherName,       // an object: another with a property that it has not
  kNoObject,        // that it is none
  kElementFails,    // a schema of `prefixItems`: a list whose element fails it
  kElementDiffers,  // an element of a value: a list with another in its place
  kSomeFails,       // `items`: a list of which some element fails it
  kTooFew,          // `contains`: a list with too few of them
  kTooMany,         // the same
  kNoList,          // that it is none
  kShorter,         // a list: another with fewer elements
  kLonger,          // the same
};

struct Term {
  NodeId id = 0;
  Ask ask = Ask::kFits;
  friend auto operator<=>(const Term&, const Term&) = default;
};
/// All at once.
using Terms = std::vector<Term>;

/// Schemas with unevaluatedProperties or unevaluatedItems that a term belongs to: what it evaluates
/// counts for them.
using Owners = std::vector<NodeId>;

struct Part {
  Term term;
  Owners owners;
};

}  // namespace polaris::schema
