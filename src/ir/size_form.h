#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/op_def.h"

namespace polaris {

/// An integer of shape arithmetic: constant + sum of factor * dim, where dims may have any size
/// from 0 on; or an integer of which nothing is known. Dims go by ids: those of symbols, and from
/// there on those of dims without a symbol. What holds of a form holds for every size below 2^40.
struct SizeForm {
  struct Term {
    std::int64_t id = 0;
    std::int64_t factor = 0;  // never 0
    friend bool operator==(const Term&, const Term&) = default;
  };
  bool known = false;
  std::int64_t constant = 0;
  std::vector<Term> terms;  // by id

  static SizeForm unknown() { return {}; }
  static SizeForm number(std::int64_t value) { return {true, value, {}}; }
  static SizeForm dim(std::int64_t id) { return {true, 0, {{id, 1}}}; }
  bool is_number() const { return known && terms.empty(); }
  /// Its id where the form is one dim and nothing else.
  std::optional<std::int64_t> as_dim() const;
};

/// a + b, a - b, a * b, a / b where that is a form again (a product: of a number and a form; a
/// quotient: exact, by a number); else unknown.
SizeForm combine(SizeRule rule, const SizeForm& a, const SizeForm& b);

/// Which signs a form may have.
struct Signs {
  bool negative = true;
  bool zero = true;
  bool positive = true;
};
Signs signs_of(const SizeForm& form);

}  // namespace polaris
