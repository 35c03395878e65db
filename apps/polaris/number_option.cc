#include "number_option.h"

#include <cmath>
#include <concepts>
#include <optional>
#include <utility>

#include "base/strings.h"

namespace polaris::cli {
namespace {

template <class T>
std::string text_of(T number) {
  if constexpr (std::same_as<T, float>) {
    return format_f32(number);
  } else if constexpr (std::floating_point<T>) {
    return format_f64(number);
  } else {
    return std::to_string(number);
  }
}

// Written so that a NaN, which compares with nothing, is out of bounds.
template <class T>
bool within(T number, const Bounds<T>& bounds) {
  return number <= bounds.high && (bounds.above ? number > bounds.low : number >= bounds.low);
}

template <class T>
std::optional<T> parse_as(const std::string& text) {
  if constexpr (std::floating_point<T>) {
    const auto number = parse_f64(text);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    return static_cast<T>(*number);
  } else if constexpr (std::unsigned_integral<T>) {
    return parse_u64(text);
  } else {
    const auto number = parse_i64(text);
    if (!number || !std::in_range<T>(*number)) return std::nullopt;
    return static_cast<T>(*number);
  }
}

}  // namespace

template <class T>
std::string bounds_text(const Bounds<T>& bounds) {
  const bool open = bounds.high == std::numeric_limits<T>::max();
  if (bounds.above) {
    return "above " + text_of(bounds.low) + (open ? "" : ", at most " + text_of(bounds.high));
  }
  return text_of(bounds.low) + (open ? " or more" : " to " + text_of(bounds.high));
}

template <class T>
std::string default_text(T value, const Bounds<T>& bounds) {
  return within(value, bounds) ? text_of(value) : std::string();
}

template <class T>
std::optional<T> read_number(const std::string& text, const Bounds<T>& bounds) {
  const std::optional<T> number = parse_as<T>(text);
  return number && within(*number, bounds) ? number : std::nullopt;
}

template <class T>
std::string number_error(const std::string& text, const Bounds<T>& bounds) {
  if (read_number(text, bounds)) return {};
  return "got '" + printable(text, 64) + "', wanted " +
         (std::integral<T> ? "a whole number, " : "a number, ") + bounds_text(bounds);
}

template std::string bounds_text(const Bounds<std::int32_t>&);
template std::string default_text(std::int32_t, const Bounds<std::int32_t>&);
template std::optional<std::int32_t> read_number(const std::string&, const Bounds<std::int32_t>&);
template std::string number_error(const std::string&, const Bounds<std::int32_t>&);
template std::string bounds_text(const Bounds<std::int64_t>&);
template std::string default_text(std::int64_t, const Bounds<std::int64_t>&);
template std::optional<std::int64_t> read_number(const std::string&, const Bounds<std::int64_t>&);
template std::string number_error(const std::string&, const Bounds<std::int64_t>&);
template std::string bounds_text(const Bounds<std::uint64_t>&);
template std::string default_text(std::uint64_t, const Bounds<std::uint64_t>&);
template std::optional<std::uint64_t> read_number(const std::string&, const Bounds<std::uint64_t>&);
template std::string number_error(const std::string&, const Bounds<std::uint64_t>&);
template std::string bounds_text(const Bounds<float>&);
template std::string default_text(float, const Bounds<float>&);
template std::optional<float> read_number(const std::string&, const Bounds<float>&);
template std::string number_error(const std::string&, const Bounds<float>&);
template std::string bounds_text(const Bounds<double>&);
template std::string default_text(double, const Bounds<double>&);
template std::optional<double> read_number(const std::string&, const Bounds<double>&);
template std::string number_error(const std::string&, const Bounds<double>&);

}  // namespace polaris::cli
