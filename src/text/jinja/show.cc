#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/unicode.h"
#include "text/jinja/operators.h"

namespace polaris::jinja {
namespace {

constexpr int kDepthMax = 100;

void append_hex(std::string& out, char mark, std::uint32_t code, int digits) {
  out += '\\';
  out += mark;
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[code >> shift & 0xFU];
  }
}

bool is_shown(char32_t code) {
  if (code < 0x7F) return code >= 0x20;
  const CategoryMask hidden = category_mask("C") | category_mask("Z");
  return code < 0x110000 && (category_of(code) & hidden) == 0;
}

void show_text(std::string_view text, std::string& out) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  out += quote;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    if (c.code == static_cast<unsigned char>(quote) || c.code == '\\') {
      out += '\\';
      out += static_cast<char>(c.code);
    } else if (c.code == '\n') {
      out += "\\n";
    } else if (c.code == '\r') {
      out += "\\r";
    } else if (c.code == '\t') {
      out += "\\t";
    } else if (is_shown(c.code)) {
      append_utf8(out, c.code);
    } else if (c.code >= 0x110000) {
      append_hex(out, 'x', c.code - kBadByte, 2);
    } else {
      append_hex(out,
                 c.code < 0x100     ? 'x'
                 : c.code < 0x10000 ? 'u'
                                    : 'U',
                 c.code,
                 c.code < 0x100     ? 2
                 : c.code < 0x10000 ? 4
                                    : 8);
    }
    at += c.bytes;
  }
  out += quote;
}

void show(Machine& machine, const Value& value, int depth, std::string& out);

void show_items(Machine& machine, const List& list, std::string_view open, std::string_view close,
                int depth, std::string& out) {
  out += open;
  for (std::size_t i = 0; i < list.items.size() && machine.ok(); ++i) {
    if (i > 0) out += ", ";
    show(machine, list.items[i], depth + 1, out);
  }
  out += close;
}

void show_list(Machine& machine, const List& list, int depth, std::string& out) {
  switch (list.style) {
    case ListStyle::kList: return show_items(machine, list, "[", "]", depth, out);
    case ListStyle::kTuple:
      return show_items(machine, list, "(", list.items.size() == 1 ? ",)" : ")", depth, out);
    case ListStyle::kItems: return show_items(machine, list, "dict_items([", "])", depth, out);
    case ListStyle::kKeys: return show_items(machine, list, "dict_keys([", "])", depth, out);
    case ListStyle::kValues: return show_items(machine, list, "dict_values([", "])", depth, out);
    case ListStyle::kRange:
      out += "range(" + std::to_string(list.start) + ", " + std::to_string(list.stop);
      if (list.step != 1) out += ", " + std::to_string(list.step);
      out += ")";
      return;
    case ListStyle::kGenerator:
      machine.fail("a generator has no text, wanted a list of it");
      return;
  }
}

void show_dict(Machine& machine, const Dict& dict, int depth, std::string& out) {
  out += "{";
  for (std::size_t i = 0; i < dict.entries.size() && machine.ok(); ++i) {
    if (i > 0) out += ", ";
    show(machine, dict.entries[i].first, depth + 1, out);
    out += ": ";
    show(machine, dict.entries[i].second, depth + 1, out);
  }
  out += "}";
}

/// repr; what has been shown so far is part of the memory that a run may take.
void show(Machine& machine, const Value& value, int depth, std::string& out) {
  if (!machine.step()) return;
  if (depth > kDepthMax || out.size() > machine.limits().memory_bytes) {
    machine.exhaust("the text of a value, wanted a smaller one");
    return;
  }
  switch (value.kind()) {
    case Kind::kUndefined: out += "Undefined"; return;
    case Kind::kNone: out += "None"; return;
    case Kind::kBool: out += value.integer() != 0 ? "True" : "False"; return;
    case Kind::kInt: out += std::to_string(value.integer()); return;
    case Kind::kFloat: out += float_text(value.real()); return;
    case Kind::kText:
      if (machine.look(4 * value.text().size())) show_text(value.text(), out);
      return;
    case Kind::kList: return show_list(machine, value.list(), depth, out);
    case Kind::kDict: return show_dict(machine, value.dict(), depth, out);
    case Kind::kNamespace:
      out += "<Namespace ";
      show_dict(machine, value.dict(), depth, out);
      out += ">";
      return;
    case Kind::kCallable:
    case Kind::kLoop: machine.fail(kind_name(value) + " has no text"); return;
  }
}

}  // namespace

std::string float_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific);
  const std::string all(text, end.ptr);
  const std::size_t mark = all.find('e');
  int exponent = 0;
  const char* digits_of_exponent = all.data() + mark + (all[mark + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, all.data() + all.size(), exponent);
  const std::string sign = all[0] == '-' ? "-" : "";
  std::string digits;
  for (const char c : all.substr(0, mark)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  if (exponent < -4 || exponent >= 16) {
    std::string out = sign + digits.substr(0, 1);
    if (digits.size() > 1) out += "." + digits.substr(1);
    const std::string size = std::to_string(std::abs(exponent));
    return out + (exponent < 0 ? "e-" : "e+") + (size.size() < 2 ? "0" : "") + size;
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) {
    return sign + digits + std::string(whole - digits.size(), '0') + ".0";
  }
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::string text_of(Machine& machine, const Value& value) {
  if (value.is(Kind::kText)) {
    return machine.look(value.text().size()) ? std::string(value.text()) : std::string();
  }
  if (value.is(Kind::kUndefined)) return {};
  return repr_of(machine, value);
}

std::string repr_of(Machine& machine, const Value& value) {
  std::string out;
  show(machine, value, 0, out);
  // The text is made whether or not a value of the language comes of it.
  if (!machine.room(out.size())) out.clear();
  return out;
}

}  // namespace polaris::jinja
