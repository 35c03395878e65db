#include "ir/op_util/cast_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/strings.h"
#include "tensor/number.h"

namespace polaris {
namespace {

/// d.ddde+xx: the fewest digits that tell the number from its neighbours in its type.
std::string shortest_digits(DType dtype, double value) {
  char text[64];
  const auto spell = [&](auto number, auto... digits) {
    const auto [end, code] =
        std::to_chars(text, text + sizeof text, number, std::chars_format::scientific, digits...);
    return std::string(text, code == std::errc() ? end : text);
  };
  if (dtype == DType::kF64) return spell(value);
  const std::string single = spell(static_cast<float>(value));
  if (dtype == DType::kF32) return single;
  constexpr int kDigitsMax = 8;
  for (int digits = 0; digits < kDigitsMax; ++digits) {
    std::byte element[8] = {};
    const std::string out = spell(value, digits);
    store_f64(dtype, element, 0, parse_f64(out).value_or(0));
    if (load_f64(dtype, element, 0) == value) return out;
  }
  return single;
}

/// Without an exponent as long as there are few zeros: 314.15926, 1e-05, 1e+16. So NumPy spells
/// numbers.
std::string real_text(DType dtype, double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const std::string text = shortest_digits(dtype, std::fabs(value));
  const std::string sign = std::signbit(value) ? "-" : "";
  const std::size_t e = text.find('e');
  const auto exponent = static_cast<int>(
      parse_i64(std::string_view(text).substr(text[e + 1] == '+' ? e + 2 : e + 1)).value_or(0));
  constexpr int kFirst = -4;
  constexpr int kLast = 15;
  if (exponent < kFirst || exponent > kLast) return sign + text;
  std::string digits = text.substr(0, 1) + (e > 1 ? text.substr(2, e - 2) : "");
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) digits.resize(whole + 1, '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string element_text(const Tensor& tensor, std::int64_t i) {
  const DType dtype = tensor.dtype();
  if (dtype == DType::kBool) return element_as_i64(tensor, i) != 0 ? "True" : "False";
  if (is_float(dtype)) return real_text(dtype, element_as_f64(tensor, i));
  const std::int64_t value = element_as_i64(tensor, i);
  return dtype == DType::kU64 ? std::to_string(static_cast<std::uint64_t>(value))
                              : std::to_string(value);
}

bool is_word(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

/// Without blanks around it and without a plus, behind which no other sign stands.
std::string_view bare_number(std::string_view text) {
  text = trim(text);
  if (!text.starts_with('+')) return text;
  text.remove_prefix(1);
  return text.starts_with('-') ? std::string_view() : text;
}

/// An integer, or a real number without its fraction.
bool store_whole(DType dtype, std::byte* data, std::int64_t i, std::string_view text) {
  const std::string_view digits = bare_number(text);
  if (const auto whole = parse_i64(digits)) return store_number(dtype, data, i, *whole);
  if (const auto large = parse_u64(digits)) return store_number(dtype, data, i, *large);
  const auto real = parse_f64(bare_number(text));
  if (!real || !(std::fabs(*real) < 0x1p64)) return false;
  if (*real >= 0x1p63) return store_number(dtype, data, i, static_cast<std::uint64_t>(*real));
  return *real >= -0x1p63 && store_number(dtype, data, i, static_cast<std::int64_t>(*real));
}

/// Stores a string as a number; false where it is none that the type can hold.
bool store_text(DType dtype, std::byte* data, std::int64_t i, std::string_view text,
                SmallRounding rounding) {
  const bool yes = is_word(trim(text), "true");
  if (dtype == DType::kBool && (yes || is_word(trim(text), "false"))) {
    store_i64(dtype, data, i, yes ? 1 : 0);
    return true;
  }
  if (is_integer(dtype)) return store_whole(dtype, data, i, text);
  const auto real = parse_f64(bare_number(text));
  if (real) store_f64(dtype, data, i, *real, rounding);
  return real.has_value();
}

}  // namespace

Result<Tensor> cast_text(const HostContext& c, DType to, SmallRounding rounding) {
  const Tensor& from = c.in(0);
  const std::int64_t count = from.elements();
  if (to == from.dtype()) return from;
  if (to == DType::kString) {
    std::vector<std::string> made;
    for (std::int64_t i = 0; i < count; ++i) made.push_back(element_text(from, i));
    const std::vector<std::string_view> views(made.begin(), made.end());
    return Tensor::strings(from.shape(), views);
  }
  auto out = Tensor::allocate(to, from.shape());
  if (!out) return out;
  for (std::int64_t i = 0; i < count; ++i) {
    if (store_text(to, out->mutable_bytes().data(), i, from.string(i), rounding)) continue;
    return c.fail("element " + std::to_string(i) + ", got '" + printable(from.string(i), 64) +
                  "', wanted a number of " + std::string(dtype_name(to)));
  }
  return out;
}

}  // namespace polaris
