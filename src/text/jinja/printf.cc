#include "text/jinja/printf.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/strings.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

constexpr std::int64_t kWidthMax = 4096;

/// One conversion: %[(name)][flags][width][.precision]letter
struct Conversion {
  std::string_view name;
  bool named = false;
  bool left = false, zero = false, plus = false, space = false;
  bool other_form = false;  // 0x before hexadecimal digits
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char letter = 0;
};

class FormatReader {
 public:
  FormatReader(Machine& machine, std::string_view format) : machine_(machine), format_(format) {}

  std::string_view format() const { return format_; }
  std::size_t at = 0;

  Conversion read() {
    Conversion out;
    if (peek() == '(') {
      const std::size_t end = format_.find(')', at);
      if (end == std::string_view::npos) return fault(out);
      out.named = true;
      out.name = format_.substr(at + 1, end - at - 1);
      at = end + 1;
    }
    for (bool more = true; more;) {
      switch (peek()) {
        case '-': out.left = true; break;
        case '0': out.zero = true; break;
        case '+': out.plus = true; break;
        case ' ': out.space = true; break;
        case '#': out.other_form = true; break;
        default: more = false;
      }
      if (more) ++at;
    }
    out.width = number(0);
    if (peek() == '.') {
      ++at;
      out.precision = number(0);
    }
    while (peek() == 'l' || peek() == 'h' || peek() == 'L') ++at;
    out.letter = peek();
    ++at;
    if (out.width > kWidthMax || out.precision > kWidthMax) return fault(out);
    return out;
  }

 private:
  char peek() const { return at < format_.size() ? format_[at] : '\0'; }
  std::int64_t number(std::int64_t out) {
    while (peek() >= '0' && peek() <= '9') {
      out = std::min<std::int64_t>(out * 10 + (peek() - '0'), kWidthMax + 1);
      ++at;
    }
    return out;
  }
  Conversion fault(const Conversion& out) {
    machine_.fail("operator '%', got the format '" + printable(format_, 40) + "'");
    return out;
  }

  Machine& machine_;
  std::string_view format_;
};

std::string digits_of(const Conversion& how, std::int64_t number) {
  auto size = static_cast<std::uint64_t>(number);
  if (number < 0) size = 0 - size;
  const unsigned base = how.letter == 'x' || how.letter == 'X' ? 16 : how.letter == 'o' ? 8 : 10;
  const std::string_view digits = how.letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    out += digits[size % base];
    size /= base;
  } while (size > 0);
  while (how.precision > static_cast<std::int64_t>(out.size())) out += '0';
  std::reverse(out.begin(), out.end());
  return out;
}

std::string real_digits(const Conversion& how, double number) {
  if (!std::isfinite(number)) return std::isnan(number) ? "nan" : "inf";
  const auto kind = static_cast<char>(how.letter | 0x20);
  const auto form = kind == 'f'   ? std::chars_format::fixed
                    : kind == 'e' ? std::chars_format::scientific
                                  : std::chars_format::general;
  std::string out(static_cast<std::size_t>(kWidthMax) + 400, '\0');
  const int precision = how.precision < 0 ? 6 : static_cast<int>(how.precision);
  const auto end =
      std::to_chars(out.data(), out.data() + out.size(), std::fabs(number), form, precision);
  out.resize(static_cast<std::size_t>(end.ptr - out.data()));
  return kind == how.letter ? out : upper_text(out);
}

std::string padded(const Conversion& how, const std::string& sign, const std::string& body,
                   bool is_number) {
  const auto have = static_cast<std::int64_t>(sign.size() + count_characters(body));
  const std::string fill(static_cast<std::size_t>(std::max<std::int64_t>(how.width - have, 0)),
                         how.zero && is_number && !how.left ? '0' : ' ');
  if (how.left) return sign + body + fill;
  return how.zero && is_number ? sign + fill + body : fill + sign + body;
}

std::string converted(Machine& machine, const Conversion& how, const Value& value) {
  const auto wrong = [&](std::string_view wanted) {
    if (must_be_defined(machine, value)) {
      machine.fail("operator '%', %" + printable(std::string(1, how.letter)) + " got " +
                   kind_name(value) + ", wanted " + std::string(wanted));
    }
    return std::string();
  };
  const auto sign_of = [&](bool negative) {
    return std::string(negative ? "-" : how.plus ? "+" : how.space ? " " : "");
  };
  switch (how.letter) {
    case 's':
    case 'r':
    case 'a': {
      std::string body = how.letter == 's' ? text_of(machine, value) : repr_of(machine, value);
      if (how.precision >= 0) body.resize(byte_of(body, static_cast<std::size_t>(how.precision)));
      return padded(how, "", body, false);
    }
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o': {
      std::int64_t number = 0;
      if (value.is_whole()) {
        number = value.integer();
      } else if (value.is(Kind::kFloat) && std::fabs(value.real()) < 9e18 && how.letter != 'x' &&
                 how.letter != 'X' && how.letter != 'o') {
        number = static_cast<std::int64_t>(value.real());
      } else {
        return wrong("a whole number");
      }
      std::string sign = sign_of(number < 0);
      if (how.other_form && (how.letter | 0x20) == 'x') sign += std::string("0") + how.letter;
      if (how.other_form && how.letter == 'o') sign += "0o";
      return padded(how, sign, digits_of(how, number), true);
    }
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G': {
      if (!value.is_number()) return wrong("a number");
      const double number = value.as_double();
      return padded(how, sign_of(std::signbit(number) && !std::isnan(number)),
                    real_digits(how, number), true);
    }
    case 'c':
      if (value.is(Kind::kText) && count_characters(value.text()) == 1) {
        return padded(how, "", std::string(value.text()), false);
      }
      return wrong("a character");
    default:
      machine.fail("operator '%', got the conversion '%" + printable(std::string(1, how.letter)) +
                   "', wanted one of: s r a d i u x X o f F e E g G c %");
      return {};
  }
}

}  // namespace

Value print_format(Machine& machine, std::string_view format, const std::vector<Value>& values,
                   const Value& whole) {
  if (!machine.look(format.size())) return {};
  FormatReader reader(machine, format);
  std::string out;
  std::size_t used = 0;
  bool named = false;
  while (reader.at < format.size() && machine.ok()) {
    const char c = format[reader.at++];
    if (c != '%') {
      out += c;
      continue;
    }
    const Conversion how = reader.read();
    if (!machine.ok()) return {};
    if (how.letter == '%') {
      out += '%';
      continue;
    }
    Value value;
    if (how.named) {
      named = true;
      const Value* there = whole.is(Kind::kDict) ? whole.dict().find_text(how.name) : nullptr;
      if (there == nullptr) {
        return machine.fail("operator '%', got no '" + printable(how.name, 40) + "'");
      }
      value = *there;
    } else {
      if (used >= values.size()) return machine.fail("operator '%', got too few values");
      value = values[used++];
    }
    const std::string text = converted(machine, how, value);
    if (!machine.room(text.size())) return {};
    out += text;
  }
  // As Python: what could be looked up in need not be used.
  const bool is_list = whole.is(Kind::kList) && whole.list().style != ListStyle::kTuple;
  const bool may_be_left = named || whole.is(Kind::kDict) || is_list;
  if (used < values.size() && !may_be_left) {
    return machine.fail("operator '%', got " + std::to_string(values.size()) + " values, wanted " +
                        std::to_string(used));
  }
  return machine.text(std::move(out));
}

Value brace_format(Machine& machine, std::string_view format, Arguments& arguments) {
  const std::vector<Value> plain = arguments.plain;
  std::string out;
  std::size_t used = 0;
  const auto fault = [&] {
    return arguments.fail("got the format '" + printable(format, 40) +
                          "', wanted only {}, {0} and {name}, with !r or !s");
  };
  for (std::size_t at = 0; at < format.size() && machine.step(); ++at) {
    const char c = format[at];
    if (c != '{' && c != '}') {
      out += c;
      continue;
    }
    if (at + 1 < format.size() && format[at + 1] == c) {
      out += c;
      ++at;
      continue;
    }
    const std::size_t end = format.find('}', at);
    if (c == '}' || end == std::string_view::npos) return fault();
    std::string_view field = format.substr(at + 1, end - at - 1);
    bool as_repr = false;
    if (const std::size_t mark = field.find('!'); mark != std::string_view::npos) {
      const std::string_view conversion = field.substr(mark + 1);
      if (conversion != "r" && conversion != "s") return fault();
      as_repr = conversion == "r";
      field = field.substr(0, mark);
    }
    if (field.find_first_of(":.[{") != std::string_view::npos) return fault();
    const auto place = field.empty() ? std::optional<std::uint64_t>(used++) : parse_u64(field);
    const Value* value = nullptr;
    if (place && *place < plain.size()) {
      value = &plain[*place];
    } else if (!place) {
      for (const auto& [name, given] : arguments.named) {
        if (name == field) value = &given;
      }
    }
    if (value == nullptr) return arguments.fail("got no '" + printable(field, 40) + "'");
    const std::string text = as_repr ? repr_of(machine, *value) : text_of(machine, *value);
    if (!machine.room(text.size())) return {};
    out += text;
    at = end;
  }
  return machine.text(std::move(out));
}

}  // namespace polaris::jinja
