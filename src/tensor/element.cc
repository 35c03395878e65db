#include "tensor/element.h"

namespace polaris {

double load_f64(DType dtype, const std::byte* data, std::int64_t index) {
  return with_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    return to_f64(reinterpret_cast<const T*>(data)[index]);
  });
}

void store_f64(DType dtype, std::byte* data, std::int64_t index, double value) {
  with_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    reinterpret_cast<T*>(data)[index] = from_f64<T>(value);
  });
}

std::int64_t load_i64(DType dtype, const std::byte* data, std::int64_t index) {
  return with_dtype(dtype, [&](auto tag) -> std::int64_t {
    using T = decltype(tag);
    const T v = reinterpret_cast<const T*>(data)[index];
    if constexpr (std::is_integral_v<T>) {
      return static_cast<std::int64_t>(v);
    } else {
      return from_f64<std::int64_t>(to_f64(v));
    }
  });
}

void store_i64(DType dtype, std::byte* data, std::int64_t index, std::int64_t value) {
  with_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_integral_v<T>) {
      reinterpret_cast<T*>(data)[index] = static_cast<T>(value);
    } else {
      reinterpret_cast<T*>(data)[index] = from_integer<T>(value);
    }
  });
}

}  // namespace polaris
