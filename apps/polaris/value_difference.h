#pragma once
#include <cstdint>
#include <string>

#include "tensor/tensor.h"

namespace polaris::cli {

/// Floats are alike where |a - b| <= absolute + relative * |a|; all else where it is equal.
struct Tolerance {
  double relative = 1e-3;
  double absolute = 1e-5;
};

/// How far two values are apart.
struct ValueDifference {
  bool same = true;
  std::string why;             // where they cannot be compared: types, shapes, counts
  double absolute_max = 0;     // of finite pairs
  double relative_max = 0;     // the difference over |a|, where a is not 0
  std::int64_t differing = 0;  // elements beyond the tolerance
  std::int64_t elements = 0;
  std::int64_t first = -1;  // the first such element, row-major
  std::string first_a;
  std::string first_b;
};

/// Tensors, sequences and optionals.
ValueDifference value_difference(const Tensor& a, const Tensor& b, const Tolerance& tolerance);

/// "3 of 12 elements, the first at 4: 1 and 2; at most 1 apart, 0.5 of the value".
std::string difference_text(const ValueDifference& difference);

}  // namespace polaris::cli
