#pragma once
#include "ir/op_util/elements.h"
#include "tensor/element.h"

namespace polaris {

/// Stores an integer, read as uint64 or as int64, rounded once.
inline void put_integer(RefTensor& to, std::int64_t i, std::int64_t v, bool no_sign) {
  with_dtype(to.type.dtype, [&](auto tag) {
    using T = decltype(tag);
    auto* data = reinterpret_cast<T*>(to.data);
    data[i] = no_sign ? from_integer<T>(static_cast<std::uint64_t>(v)) : from_integer<T>(v);
  });
}

/// Converts every element of `from` to the type of `to`, as Cast does.
inline void cast_elements(const RefTensor& from, RefTensor& to) {
  const DType source = from.type.dtype;
  const std::int64_t n = from.type.shape.elements();
  for (std::int64_t i = 0; i < n; ++i) {
    if (is_float(source)) {
      put_f64(to, i, get_f64(from, i));
    } else {
      put_integer(to, i, get_i64(from, i), source == DType::kU64);
    }
  }
}

}  // namespace polaris
