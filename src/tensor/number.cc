#include "tensor/number.h"

#include <cmath>

#include "tensor/element.h"

namespace polaris {

bool store_number(DType dtype, std::byte* data, std::int64_t index, std::int64_t value) {
  if (is_float(dtype)) return store_number(dtype, data, index, static_cast<double>(value));
  if (dtype == DType::kU64 && value < 0) return false;
  store_i64(dtype, data, index, value);
  return load_i64(dtype, data, index) == value;
}

bool store_number(DType dtype, std::byte* data, std::int64_t index, std::uint64_t value) {
  if (is_float(dtype)) return store_number(dtype, data, index, static_cast<double>(value));
  if (dtype != DType::kU64) {
    return value <= static_cast<std::uint64_t>(INT64_MAX) &&
           store_number(dtype, data, index, static_cast<std::int64_t>(value));
  }
  store_u64(dtype, data, index, value);
  return true;
}

bool store_number(DType dtype, std::byte* data, std::int64_t index, double value) {
  if (!is_float(dtype)) return false;
  store_f64(dtype, data, index, value, {.saturate = false});
  if (!is_small(dtype)) return true;
  const double kept = load_f64(dtype, data, index);
  return std::isnan(kept) == std::isnan(value) && std::isinf(kept) == std::isinf(value);
}

}  // namespace polaris
