#pragma once
#include "ir/op_util/elements.h"
#include "ir/op_util/extremum.h"

namespace polaris {

/// Calls f(x, y) with elements i and j of a tensor, as double, int64 or uint64.
template <class F>
decltype(auto) with_elements(const RefTensor& t, std::int64_t i, std::int64_t j, F&& f) {
  if (is_float(t.type.dtype)) return f(get_f64(t, i), get_f64(t, j));
  if (is_signed_integer(t.type.dtype)) return f(get_i64(t, i), get_i64(t, j));
  return f(static_cast<std::uint64_t>(get_i64(t, i)), static_cast<std::uint64_t>(get_i64(t, j)));
}

/// -1, 0 or 1 as element i stands below, beside or above element j: NaN above all numbers.
inline int compare_elements(const RefTensor& t, std::int64_t i, std::int64_t j) {
  return with_elements(t, i, j, [](auto x, auto y) { return sort_order(x, y); });
}

/// Whether element i comes before element j where the largest (or smallest) is looked for: a NaN
/// comes before every number.
inline bool element_beats(const RefTensor& t, std::int64_t i, std::int64_t j, bool largest) {
  return with_elements(t, i, j, [&](auto x, auto y) { return beats(x, y, largest); });
}

}  // namespace polaris
