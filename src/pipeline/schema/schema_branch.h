#pragma once
#include <cstddef>
#include <map>
#include <vector>

#include "pipeline/schema/schema_term.h"

namespace polaris::schema {

/// What a value must keep after some alternatives were chosen, and what there is to choose yet.
struct Branch {
  std::vector<Part> parts;
  std::vector<Part> choices;    // a keyword, or a term of which each way to keep it is one
  std::map<Term, Owners> seen;  // as they were added first
  std::size_t next = 0;         // of the parts, the first that was not looked into

  explicit Branch(const Terms& terms = {}) {
    for (const Term& term : terms) add(term, {});
  }
  void add(const Term& term, const Owners& owners) { parts.push_back({term, owners}); }
};

}  // namespace polaris::schema
