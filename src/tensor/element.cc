#include "tensor/element.h"

#include "base/bytes.h"

namespace polaris {
namespace {

/// Where a packed element stands in its byte.
struct Place {
  std::int64_t byte = 0;
  int shift = 0;
  unsigned mask = 0xFF;
};
Place place_of(DType dtype, std::int64_t index) {
  const int bits = dtype_info(dtype).bits;
  const std::int64_t shared = 8 / bits;
  return {index / shared, static_cast<int>(index % shared) * bits, (1u << bits) - 1u};
}

/// The integer whose two's complement a code of a small integer type is.
std::int64_t code_to_i64(DType dtype, std::uint8_t code) {
  if (!is_signed_integer(dtype)) return code;
  const int sign = 1 << (dtype_info(dtype).bits - 1);
  return (code ^ sign) - sign;
}

/// Without its fraction, or 0 where int64 cannot hold that.
std::int64_t whole_part(double value) {
  const bool fits = value > -0x1p63 && value < 0x1p63;  // NaN does not
  return fits ? static_cast<std::int64_t>(value) : 0;
}

}  // namespace

std::uint8_t load_code(DType dtype, const std::byte* data, std::int64_t index) {
  const Place at = place_of(dtype, index);
  return static_cast<std::uint8_t>(std::to_integer<unsigned>(data[at.byte]) >> at.shift & at.mask);
}

void store_code(DType dtype, std::byte* data, std::int64_t index, std::uint8_t code) {
  const Place at = place_of(dtype, index);
  const unsigned kept = std::to_integer<unsigned>(data[at.byte]) & ~(at.mask << at.shift);
  data[at.byte] = static_cast<std::byte>(kept | (code & at.mask) << at.shift);
}

double load_f64(DType dtype, const std::byte* data, std::int64_t index) {
  if (is_small(dtype)) {
    const std::uint8_t code = load_code(dtype, data, index);
    return is_float(dtype) ? decode_small_float(dtype, code)
                           : static_cast<double>(code_to_i64(dtype, code));
  }
  return with_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    return to_f64(reinterpret_cast<const T*>(data)[index]);
  });
}

void store_f64(DType dtype, std::byte* data, std::int64_t index, double value,
               SmallRounding rounding) {
  if (is_small(dtype)) {
    const std::uint8_t code = is_float(dtype) ? encode_small_float(dtype, value, rounding)
                                              : static_cast<std::uint8_t>(whole_part(value));
    store_code(dtype, data, index, code);
    return;
  }
  with_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    reinterpret_cast<T*>(data)[index] = from_f64<T>(value);
  });
}

std::int64_t load_i64(DType dtype, const std::byte* data, std::int64_t index) {
  if (is_small(dtype)) {
    const std::uint8_t code = load_code(dtype, data, index);
    return is_float(dtype) ? from_f64<std::int64_t>(decode_small_float(dtype, code))
                           : code_to_i64(dtype, code);
  }
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

namespace {

template <class V>
void store_integer(DType dtype, std::byte* data, std::int64_t index, V value,
                   SmallRounding rounding) {
  if (is_small(dtype)) {
    const std::uint8_t code = is_float(dtype)
                                  ? encode_small_float(dtype, integer_to_f64_odd(value), rounding)
                                  : static_cast<std::uint8_t>(value);
    store_code(dtype, data, index, code);
    return;
  }
  with_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    reinterpret_cast<T*>(data)[index] = from_integer<T>(value);
  });
}

}  // namespace

void store_i64(DType dtype, std::byte* data, std::int64_t index, std::int64_t value,
               SmallRounding rounding) {
  store_integer(dtype, data, index, value, rounding);
}

void store_u64(DType dtype, std::byte* data, std::int64_t index, std::uint64_t value,
               SmallRounding rounding) {
  store_integer(dtype, data, index, value, rounding);
}

void copy_elements(DType dtype, std::byte* to, std::int64_t to_index, const std::byte* from,
                   std::int64_t from_index, std::int64_t count) {
  if (count <= 0) return;
  if (!is_packed(dtype)) {
    const ElementWidth width = width_of(dtype);
    move_bytes(to + width.of(to_index), from + width.of(from_index),
               static_cast<std::size_t>(width.of(count)));
    return;
  }
  const Place first = place_of(dtype, to_index);
  const Place source = place_of(dtype, from_index);
  std::int64_t done = 0;
  if (first.shift == 0 && source.shift == 0) {
    // Whole bytes of both; the elements of the last byte that is not filled follow singly.
    const std::int64_t bytes = place_of(dtype, count).byte;
    move_bytes(to + first.byte, from + source.byte, static_cast<std::size_t>(bytes));
    done = bytes * (8 / dtype_info(dtype).bits);
  }
  for (; done < count; ++done) {
    store_code(dtype, to, to_index + done, load_code(dtype, from, from_index + done));
  }
}

void clear_padding(DType dtype, std::byte* data, std::int64_t elements) {
  if (!is_packed(dtype)) return;
  const Place end = place_of(dtype, elements);
  if (end.shift != 0) data[end.byte] &= static_cast<std::byte>((1u << end.shift) - 1u);
}

bool has_clear_padding(DType dtype, const std::byte* data, std::int64_t elements) {
  if (!is_packed(dtype)) return true;
  const Place end = place_of(dtype, elements);
  return end.shift == 0 || std::to_integer<unsigned>(data[end.byte]) >> end.shift == 0;
}

}  // namespace polaris
