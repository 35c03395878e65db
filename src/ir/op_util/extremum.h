#pragma once
#include <cmath>
#include <type_traits>

namespace polaris {

template <class T>
bool is_nan_value(T v) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(v);
  return false;
}

/// The larger, or the smaller, of two numbers; the first NaN wins. Of a form that compilers
/// vectorize.
template <class T>
T larger(T a, T b) {
  return !is_nan_value(a) && !(b <= a) ? b : a;
}
template <class T>
T smaller(T a, T b) {
  return !is_nan_value(a) && !(b >= a) ? b : a;
}

/// Whether `b` comes before `a` where the largest (or smallest) of a line is looked for: a NaN
/// comes before every number, and of equals neither does.
template <class T>
bool beats(T b, T a, bool largest) {
  if (is_nan_value(a) || is_nan_value(b)) return is_nan_value(b) && !is_nan_value(a);
  return largest ? a < b : b < a;
}

/// -1, 0 or 1 as `a` stands below, beside or above `b` in a sorted line: NaN above all numbers.
template <class T>
int sort_order(T a, T b) {
  if (is_nan_value(a) || is_nan_value(b)) {
    return static_cast<int>(is_nan_value(a)) - static_cast<int>(is_nan_value(b));
  }
  return a < b ? -1 : (b < a ? 1 : 0);
}

}  // namespace polaris
