#pragma once
#include "ir/op_util/elements.h"

namespace polaris {

/// Converts every element of `from` to the type of `to`, as Cast does.
inline void cast_elements(const RefTensor& from, RefTensor& to) {
  const DType source = from.type.dtype;
  const DType target = to.type.dtype;
  const std::int64_t n = from.type.shape.elements();
  for (std::int64_t i = 0; i < n; ++i) {
    if (is_float(source)) {
      put_f64(to, i, get_f64(from, i));
    } else if (target == DType::kBool) {
      put_i64(to, i, get_i64(from, i) != 0 ? 1 : 0);
    } else if (target == DType::kF32) {
      // Straight from the integer: through double a 64-bit value would be rounded twice.
      const std::int64_t v = get_i64(from, i);
      put_f64(to, i,
              source == DType::kU64 ? static_cast<float>(static_cast<std::uint64_t>(v))
                                    : static_cast<float>(v));
    } else if (is_float(target)) {
      put_f64(to, i, get_f64(from, i));
    } else {
      put_i64(to, i, get_i64(from, i));
    }
  }
}

}  // namespace polaris
