#include <algorithm>

#include "base/unicode.h"
#include "text/jinja/filters.h"
#include "text/jinja/json.h"
#include "text/jinja/operators.h"
#include "text/jinja/printf.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

template <std::string (*map)(std::string_view)>
Value mapped(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  const std::string text = text_of(machine, value);
  return machine.look(4 * text.size()) ? machine.text(map(text)) : Value();
}

// Jinja's own: words begin after white space, hyphens and opening brackets.
std::string title_words(std::string_view text) {
  const auto is_between = [](char32_t c) {
    return is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  std::string out;
  std::size_t word = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    at += c.bytes;
    if (!is_between(c.code) && at < text.size()) continue;
    const std::size_t first = decode_utf8(text, word).bytes;
    out += upper_text(text.substr(word, first));
    out += lower_text(text.substr(word + first, at - word - first));
    word = at;
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string itself(std::string_view text) { return std::string(text); }

Value trim(Machine& machine, Value value, Arguments& arguments) {
  const Value characters = arguments.take("chars", Value::none());
  if (!arguments.done()) return {};
  const Value text = value.is(Kind::kText) ? value : machine.text(text_of(machine, value));
  if (!machine.look(4 * text.text().size())) return {};
  if (characters.is(Kind::kNone)) return Value::text(strip_left(strip_right(text.text())));
  if (!characters.is(Kind::kText)) return arguments.fail("got " + kind_name(characters));
  if (!machine.look(16 * characters.text().size())) return {};
  return Value::text(strip_characters(text.text(), characters.text(), true, true));
}

Value replace(Machine& machine, Value value, Arguments& arguments) {
  const std::string from = text_of(machine, arguments.need("old"));
  const std::string to = text_of(machine, arguments.need("new"));
  const Value count = arguments.take("count", Value::none());
  if (!arguments.done()) return {};
  if (!count.is(Kind::kNone) && !count.is_whole()) {
    return arguments.fail("got " + kind_name(count));
  }
  const std::string text = text_of(machine, value);
  return replaced(machine, text, from, to, count.is(Kind::kNone) ? -1 : count.integer());
}

Value center(Machine& machine, Value value, Arguments& arguments) {
  const std::int64_t width = arguments.integer("width", 80);
  if (!arguments.done()) return {};
  Arguments padding(machine, arguments.callee());
  padding.plain = {Value::integer(width)};
  const Value text = machine.text(text_of(machine, value));
  const Value bound = method(machine, text, "center");
  return machine.ok() ? bound.callable().method(machine, text, padding) : Value();
}

Value indent(Machine& machine, Value value, Arguments& arguments) {
  const Value width = arguments.take("width", Value::integer(4));
  const bool first = arguments.flag("first", false);
  const bool blank = arguments.flag("blank", false);
  if (!arguments.done()) return {};
  if (!value.is(Kind::kText)) {
    return must_be_defined(machine, value) ? arguments.fail("got " + kind_name(value)) : Value();
  }
  std::string by;
  if (width.is(Kind::kText)) {
    by = width.text();
  } else if (width.is_whole() && width.integer() <= 4096) {
    by.assign(static_cast<std::size_t>(std::max<std::int64_t>(width.integer(), 0)), ' ');
  } else {
    return arguments.fail("got a width that is " + kind_name(width) + ", wanted at most 4096");
  }
  if (!machine.look(8 * value.text().size()) || !machine.room(16 * value.text().size())) return {};
  // As Python does it, the line end that is added is what makes an empty text a line.
  const std::string text = std::string(value.text()) + "\n";
  std::string out;
  bool at_first = true;
  for (const std::string_view line : split_lines(text)) {
    if (!machine.room(line.size() + by.size() + 1)) return {};
    if (!at_first) out += '\n';
    if (at_first ? first : blank || !line.empty()) out += by;
    out += line;
    at_first = false;
  }
  return machine.text(std::move(out));
}

Value truncate(Machine& machine, Value value, Arguments& arguments) {
  const std::int64_t length = arguments.integer("length", 255);
  const bool kill_words = arguments.flag("killwords", false);
  const std::string_view end = arguments.text("end", "...");
  const Value leeway = arguments.take("leeway", Value::none());
  if (!arguments.done()) return {};
  if (!value.is(Kind::kText)) return arguments.fail("got " + kind_name(value));
  const std::string_view text = value.text();
  if (!machine.look(8 * (text.size() + end.size()))) return {};
  const auto end_size = static_cast<std::int64_t>(count_characters(end));
  const std::int64_t more = leeway.is_whole() ? leeway.integer() : 5;
  if (length < end_size || more < 0) return arguments.fail("got a length below that of the end");
  const auto size = static_cast<std::int64_t>(count_characters(text));
  if (size - more <= length) return value;
  std::string_view kept =
      text.substr(0, byte_of(text, static_cast<std::size_t>(length - end_size)));
  if (const std::size_t space = kept.rfind(' '); !kill_words && space != std::string_view::npos) {
    kept = kept.substr(0, space);
  }
  return machine.text(std::string(kept) + std::string(end));
}

Value word_count(Machine& machine, Value value, Arguments& arguments) {
  const std::string text = text_of(machine, value);
  if (!arguments.done() || !machine.look(4 * text.size())) return {};
  const CategoryMask word = category_mask("L") | category_mask("N");
  std::int64_t count = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    const bool part = c.code == '_' || (c.code < 0x110000 && (category_of(c.code) & word) != 0);
    count += part && !inside ? 1 : 0;
    inside = part;
    at += c.bytes;
  }
  return Value::integer(count);
}

Value format(Machine& machine, Value value, Arguments& arguments) {
  const std::string text = text_of(machine, value);
  if (!arguments.named.empty() && !arguments.plain.empty()) {
    return arguments.fail("got values with and without names");
  }
  const Value named = machine.dict();
  for (const auto& [name, given] : arguments.named) {
    machine.set(named.dict(), Value::text(name), given);
  }
  const bool by_name = !arguments.named.empty();
  return print_format(machine, text, arguments.plain, by_name ? named : Value::none());
}

Value to_json(Machine& machine, Value value, Arguments& arguments) {
  JsonStyle style;
  style.ensure_ascii = arguments.flag("ensure_ascii", false);
  const Value indent = arguments.take("indent", Value::none());
  const Value separators = arguments.take("separators", Value::none());
  style.sort_keys = arguments.flag("sort_keys", false);
  if (!arguments.done()) return {};
  style.has_indent = !indent.is(Kind::kNone);
  if (indent.is(Kind::kText)) {
    style.indent = indent.text();
  } else if (indent.is_whole() && indent.integer() <= 64) {
    style.indent.assign(static_cast<std::size_t>(std::max<std::int64_t>(indent.integer(), 0)), ' ');
  } else if (style.has_indent) {
    return arguments.fail("'indent', got " + kind_name(indent) + ", wanted at most 64 spaces");
  }
  if (style.indent.size() > 64) return arguments.fail("'indent', wanted at most 64 bytes");
  if (style.has_indent) style.between = ",";
  if (!separators.is(Kind::kNone)) {
    const std::vector<Value> pair = walk(machine, separators);
    if (pair.size() != 2 || !pair[0].is(Kind::kText) || !pair[1].is(Kind::kText)) {
      return arguments.fail("'separators', wanted two texts");
    }
    style.between = pair[0].text();
    style.after_key = pair[1].text();
    if (style.between.size() > 64 || style.after_key.size() > 64) {
      return arguments.fail("'separators', wanted at most 64 bytes");
    }
  }
  return machine.text(json_of(machine, value, style));
}

constexpr MethodRow kRows[] = {
    {"capitalize", mapped<capital_text>},
    {"center", center},
    {"e", mapped<escaped>},
    {"escape", mapped<escaped>},
    {"forceescape", mapped<escaped>},
    {"format", format},
    {"indent", indent},
    {"lower", mapped<lower_text>},
    {"replace", replace},
    {"safe", mapped<itself>},
    {"string", mapped<itself>},
    {"title", mapped<title_words>},
    {"tojson", to_json},
    {"trim", trim},
    {"truncate", truncate},
    {"upper", mapped<upper_text>},
    {"wordcount", word_count},
};

}  // namespace

std::span<const MethodRow> text_filters() { return kRows; }

}  // namespace polaris::jinja
