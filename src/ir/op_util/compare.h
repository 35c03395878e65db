#pragma once
#include "ir/op_util/elements.h"

namespace polaris {

/// -1, 0 or 1 as element i of a is below, equal to (or not comparable with) or above element j of
/// b; both have one type.
inline int compare_elements(const RefTensor& a, std::int64_t i, const RefTensor& b,
                            std::int64_t j) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : (x > y ? 1 : 0); };
  if (is_float(a.type.dtype)) return order(get_f64(a, i), get_f64(b, j));
  if (is_signed_integer(a.type.dtype)) return order(get_i64(a, i), get_i64(b, j));
  return order(static_cast<std::uint64_t>(get_i64(a, i)),
               static_cast<std::uint64_t>(get_i64(b, j)));
}

}  // namespace polaris
