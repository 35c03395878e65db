#include "text/jinja/literal.h"

#include <charconv>
#include <cmath>

#include "base/strings.h"
#include "base/unicode.h"

namespace polaris::jinja {
namespace {

bool is_digit_of(char c, int base) {
  if (base <= 10) return c >= '0' && c < '0' + base;
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Digits with single underscores between them: how far they go.
std::size_t digits_end(std::string_view text, std::size_t at, int base) {
  while (at < text.size()) {
    const std::size_t next = text[at] == '_' ? at + 1 : at;
    if (next >= text.size() || !is_digit_of(text[next], base)) break;
    at = next + 1;
  }
  return at;
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

std::size_t real_end(std::string_view text) {
  const std::size_t whole = digits_end(text, 0, 10);
  std::size_t end = whole;
  if (end + 1 < text.size() && text[end] == '.' && is_digit_of(text[end + 1], 10)) {
    end = digits_end(text, end + 1, 10);
  }
  std::size_t exponent = end;
  if (exponent < text.size() && (text[exponent] == 'e' || text[exponent] == 'E')) {
    ++exponent;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    if (exponent < text.size() && is_digit_of(text[exponent], 10)) {
      end = digits_end(text, exponent, 10);
    }
  }
  return end == whole ? 0 : end;
}

/// A code point of `digits` digits of that base at `at`, appended; false where malformed.
bool append_code(std::string_view text, std::size_t at, std::size_t digits, int base,
                 std::string& out) {
  if (at + digits > text.size()) return false;
  std::uint32_t code = 0;
  const char* end = text.data() + at + digits;
  const auto read = std::from_chars(text.data() + at, end, code, base);
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (read.ec != std::errc() || read.ptr != end || code > 0x10FFFF || surrogate) return false;
  append_utf8(out, code);
  return true;
}

}  // namespace

NumberLiteral read_number(std::string_view text, bool may_be_real) {
  NumberLiteral out;
  if (const std::size_t end = may_be_real ? real_end(text) : 0) {
    const auto value = parse_f64(without_underscores(text.substr(0, end)));
    // Out of range is infinite or nothing, as the digits say.
    const bool tiny = text.substr(0, end).find("e-") != std::string_view::npos;
    out.is_real = true;
    out.real = value ? *value : tiny ? 0.0 : static_cast<double>(INFINITY);
    out.bytes = end;
    return out;
  }
  int base = 10;
  std::size_t start = 0;
  if (text.size() > 2 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    const int other = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    if (other != 10 && digits_end(text, 2, other) > 2) {
      base = other;
      start = 2;
    }
  }
  std::size_t end = digits_end(text, start, base);
  if (base == 10 && text[0] == '0') {
    // A zero stands by itself, or with others.
    end = 1;
    while (end < text.size() && (text[end] == '0' || (text[end] == '_' && end + 1 < text.size() &&
                                                      text[end + 1] == '0'))) {
      ++end;
    }
  }
  const std::string digits = without_underscores(text.substr(start, end - start));
  const char* last = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), last, out.integer, base);
  if (read.ec == std::errc() && read.ptr == last) out.bytes = end;
  return out;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    if (++at >= text.size()) return std::nullopt;
    const char c = text[at];
    static constexpr std::string_view kSigns = "abfnrtv\\'\"";
    static constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\'\"";
    if (const std::size_t sign = kSigns.find(c); sign != std::string_view::npos) {
      out += kMeant[sign];
    } else if (c == '\n') {
      continue;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      if (!append_code(text, at + 1, digits, 16, out)) return std::nullopt;
      at += digits;
    } else if (c >= '0' && c <= '7') {
      std::size_t digits = 1;
      while (digits < 3 && at + digits < text.size() && is_digit_of(text[at + digits], 8)) {
        ++digits;
      }
      if (!append_code(text, at, digits, 8, out)) return std::nullopt;
      at += digits - 1;
    } else if (c == 'N') {
      return std::nullopt;
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace polaris::jinja
