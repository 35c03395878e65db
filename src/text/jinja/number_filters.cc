#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/strings.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

/// As Python's int() and float() take texts: white space around, underscores between digits.
std::optional<std::string> bare_number(std::string_view text) {
  text = strip_left(strip_right(text));
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const auto digit = [&](std::size_t at) {
      return at < text.size() && ((text[at] >= '0' && text[at] <= '9') || (text[at] | 0x20) >= 'a');
    };
    if (i == 0 || !digit(i - 1) || !digit(i + 1)) return std::nullopt;
  }
  return out;
}

std::optional<std::int64_t> parse_whole(std::string_view text, std::int64_t base) {
  auto bare = bare_number(text);
  if (!bare || bare->empty()) return std::nullopt;
  std::string_view digits = *bare;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const auto prefix = [&](char mark) {
    return digits.size() > 2 && digits[0] == '0' && (digits[1] | 0x20) == mark;
  };
  for (const auto& [mark, of] : {std::pair{'x', 16}, std::pair{'o', 8}, std::pair{'b', 2}}) {
    if ((base == of || base == 0) && prefix(mark)) {
      digits.remove_prefix(2);
      base = of;
    }
  }
  if (base == 0) base = 10;
  if (digits.empty() || digits[0] == '-') return std::nullopt;
  const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
  std::int64_t out = 0;
  const char* end = signed_digits.data() + signed_digits.size();
  const auto read = std::from_chars(signed_digits.data(), end, out, static_cast<int>(base));
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return out;
}

std::optional<double> parse_real(std::string_view text) {
  const auto bare = bare_number(text);
  if (!bare) return std::nullopt;
  std::string_view digits = *bare;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const std::string lower = lower_text(digits);
  std::optional<double> out;
  if (lower == "inf" || lower == "infinity") {
    out = std::numeric_limits<double>::infinity();
  } else if (lower == "nan") {
    out = std::numeric_limits<double>::quiet_NaN();
  } else if (!lower.empty() && (lower[0] == '.' || (lower[0] >= '0' && lower[0] <= '9'))) {
    out = parse_f64(lower);
  }
  if (out && negative) out = -*out;
  return out;
}

std::optional<std::int64_t> whole_of(double number) {
  // The largest double below 2^63.
  if (!(std::fabs(number) <= 9223372036854774784.0)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

Value to_int(Machine& machine, Value value, Arguments& arguments) {
  const Value otherwise = arguments.take("default", Value::integer(0));
  const std::int64_t base = arguments.integer("base", 10);
  if (!arguments.done() || !must_be_defined(machine, value)) return {};
  if (base != 0 && (base < 2 || base > 36)) return arguments.fail("'base', wanted 2 to 36, or 0");
  if (value.is_whole()) return Value::integer(value.integer());
  std::optional<double> real;
  if (value.is(Kind::kText)) {
    if (!machine.look(4 * value.text().size())) return {};
    if (const auto whole = parse_whole(value.text(), base)) return Value::integer(*whole);
    real = parse_real(value.text());
  } else if (value.is(Kind::kFloat)) {
    if (std::isinf(value.real())) return otherwise;
    real = value.real();
  }
  if (!real || std::isnan(*real) || std::isinf(*real)) return otherwise;
  const auto whole = whole_of(*real);
  return whole ? Value::integer(*whole) : arguments.fail("got a number beyond 64 bits");
}

Value to_float(Machine& machine, Value value, Arguments& arguments) {
  const Value otherwise = arguments.take("default", Value::real(0));
  if (!arguments.done() || !must_be_defined(machine, value)) return {};
  if (value.is_number()) return Value::real(value.as_double());
  if (!value.is(Kind::kText) || !machine.look(4 * value.text().size())) return otherwise;
  const auto real = parse_real(value.text());
  return real ? Value::real(*real) : otherwise;
}

Value absolute(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done() || !must_be_defined(machine, value)) return {};
  if (value.is(Kind::kFloat)) return Value::real(std::fabs(value.real()));
  if (!value.is_whole()) return arguments.fail("got " + kind_name(value) + ", wanted a number");
  return value.integer() < 0 ? negate(machine, value) : Value::integer(value.integer());
}

double rounded(double number, std::int64_t precision) {
  if (!std::isfinite(number) || precision > 323) return number;
  if (precision < -308) return std::copysign(0.0, number);
  if (precision < 0) {
    const double unit = std::pow(10.0, static_cast<double>(-precision));
    return std::nearbyint(number / unit) * unit;
  }
  // The decimal digits of the number itself, rounded: what Python does.
  char text[700];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::fixed,
                                 static_cast<int>(precision));
  return parse_f64(std::string_view(text, static_cast<std::size_t>(end.ptr - text)))
      .value_or(number);
}

Value round(Machine& machine, Value value, Arguments& arguments) {
  const std::int64_t precision = arguments.integer("precision", 0);
  const std::string_view how = arguments.text("method", "common");
  if (!arguments.done() || !must_be_defined(machine, value)) return {};
  if (!value.is_number()) return arguments.fail("got " + kind_name(value) + ", wanted a number");
  if (how == "common") {
    if (value.is_whole() && precision >= 0) return Value::integer(value.integer());
    const double out = rounded(value.as_double(), precision);
    if (!value.is_whole()) return Value::real(out);
    const auto whole = whole_of(out);
    return whole ? Value::integer(*whole) : arguments.fail("got a number beyond 64 bits");
  }
  if (how != "ceil" && how != "floor") {
    return arguments.fail("'method', wanted one of: common, ceil, floor");
  }
  if (precision < -300 || precision > 300) return arguments.fail("'precision', wanted at most 300");
  const double unit = std::pow(10.0, static_cast<double>(precision));
  const double scaled = value.as_double() * unit;
  return Value::real((how == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit);
}

constexpr MethodRow kRows[] = {
    {"abs", absolute}, {"float", to_float}, {"int", to_int}, {"round", round}};

}  // namespace

std::span<const MethodRow> number_filters() { return kRows; }

}  // namespace polaris::jinja
