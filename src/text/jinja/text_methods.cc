#include <algorithm>
#include <string>

#include "base/unicode.h"
#include "text/jinja/methods.h"
#include "text/jinja/operators.h"
#include "text/jinja/printf.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

Value texts(Machine& machine, const std::vector<std::string_view>& parts,
            ListStyle style = ListStyle::kList) {
  if (!machine.room_for(parts.size())) return {};
  std::vector<Value> out;
  out.reserve(parts.size());
  for (const std::string_view part : parts) out.push_back(Value::text(part));
  return machine.list(std::move(out), style);
}

/// A large text may fall into half as many parts as it has bytes; of others that is not much.
bool room_for_parts(Machine& machine, std::string_view text) {
  return text.size() < (std::size_t{1} << 20) || machine.room_for(text.size() / 2);
}

template <std::string (*map)(std::string_view)>
Value mapped(Machine& machine, Value self, Arguments& arguments) {
  if (!arguments.done() || !machine.look(4 * self.text().size())) return {};
  return machine.text(map(self.text()));
}

std::string swap_case(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    const std::string_view one = text.substr(at, c.bytes);
    const std::string upper = upper_text(one);
    out += upper != one ? upper : lower_text(one);
    at += c.bytes;
  }
  return out;
}

template <bool left, bool right>
Value strip(Machine& machine, Value self, Arguments& arguments) {
  const Value characters = arguments.take("chars", Value::none());
  std::string_view text = self.text();
  if (!arguments.done() || !machine.look(4 * text.size())) return {};
  if (characters.is(Kind::kNone)) {
    if (left) text = strip_left(text);
    if (right) text = strip_right(text);
    return Value::text(text);
  }
  if (!characters.is(Kind::kText)) return arguments.fail("got " + kind_name(characters));
  if (!machine.look(16 * characters.text().size())) return {};
  return Value::text(strip_characters(text, characters.text(), left, right));
}

template <bool from_right>
Value split(Machine& machine, Value self, Arguments& arguments) {
  const Value separator = arguments.take("sep", Value::none());
  const std::int64_t count = arguments.integer("maxsplit", -1);
  if (!arguments.done() || !machine.look(8 * self.text().size())) return {};
  if (separator.is(Kind::kNone)) {
    if (!room_for_parts(machine, self.text())) return {};
    return texts(machine, split_spaces(self.text(), count, from_right));
  }
  if (!separator.is(Kind::kText)) return arguments.fail("got " + kind_name(separator));
  if (separator.text().empty()) return arguments.fail("got an empty separator");
  if (!machine.room_for(count_text(self.text(), separator.text(), count))) return {};
  return texts(machine, split_text(self.text(), separator.text(), count, from_right));
}

Value split_into_lines(Machine& machine, Value self, Arguments& arguments) {
  const bool keep = arguments.flag("keepends", false);
  if (!arguments.done() || !machine.look(4 * self.text().size())) return {};
  if (!room_for_parts(machine, self.text())) return {};
  return texts(machine, split_lines(self.text(), keep));
}

/// The part of a text that `start` and `end` leave; nothing where start lies behind it.
struct Part {
  std::string_view text;
  std::size_t before = 0;  // characters
  bool inside = true;
};

Part part_of(Machine& machine, std::string_view text, Arguments& arguments) {
  const Value start = arguments.take("start", Value::none());
  const Value end = arguments.take("end", Value::none());
  if (start.is(Kind::kNone) && end.is(Kind::kNone)) return {text, 0, true};
  if (!machine.look(4 * text.size())) return {};
  const auto size = static_cast<std::int64_t>(count_characters(text));
  const auto place = [&](const Value& value, std::int64_t otherwise) {
    if (value.is(Kind::kNone)) return otherwise;
    if (!value.is_whole()) arguments.fail("got " + kind_name(value) + ", wanted a place");
    std::int64_t at = value.is_whole() ? value.integer() : 0;
    if (at < 0) at = at < -size ? 0 : at + size;
    return at;
  };
  const std::int64_t from = place(start, 0);
  const std::int64_t to = std::min(place(end, size), size);
  if (from > to) return {{}, 0, false};
  const std::size_t begin = byte_of(text, static_cast<std::size_t>(from));
  const std::size_t bytes = byte_of(text.substr(begin), static_cast<std::size_t>(to - from));
  return {text.substr(begin, bytes), static_cast<std::size_t>(from), true};
}

template <bool at_front>
Value has_end(Machine& machine, Value self, Arguments& arguments) {
  const Value what = arguments.need("prefix");
  const Part part = part_of(machine, self.text(), arguments);
  if (!arguments.done()) return {};
  std::vector<Value> any = {what};
  if (what.is(Kind::kList) && what.list().style == ListStyle::kTuple) any = walk(machine, what);
  for (const Value& one : any) {
    if (!one.is(Kind::kText)) return arguments.fail("got " + kind_name(one) + ", wanted a text");
    if (!part.inside || !machine.look(one.text().size())) continue;
    if (at_front ? part.text.starts_with(one.text()) : part.text.ends_with(one.text())) {
      return Value::boolean(true);
    }
  }
  return Value::boolean(false);
}

template <bool last, bool must_be_there>
Value find(Machine& machine, Value self, Arguments& arguments) {
  const std::string_view what = arguments.text("sub", {});
  const Part part = part_of(machine, self.text(), arguments);
  if (!arguments.done() || !machine.look(4 * (self.text().size() + what.size()))) return {};
  const std::size_t at = last ? find_last_text(part.text, what) : find_text(part.text, what);
  if (at != std::string_view::npos && part.inside) {
    const std::size_t characters = part.before + count_characters(part.text.substr(0, at));
    return Value::integer(static_cast<std::int64_t>(characters));
  }
  if (must_be_there) return arguments.fail("got a text that is not there");
  return Value::integer(-1);
}

Value count(Machine& machine, Value self, Arguments& arguments) {
  const std::string_view what = arguments.text("sub", {});
  const Part part = part_of(machine, self.text(), arguments);
  if (!arguments.done() || !machine.look(4 * part.text.size())) return {};
  if (!part.inside) return Value::integer(0);
  if (what.empty()) {
    return Value::integer(static_cast<std::int64_t>(count_characters(part.text)) + 1);
  }
  return Value::integer(static_cast<std::int64_t>(count_text(part.text, what, -1)));
}

Value join(Machine& machine, Value self, Arguments& arguments) {
  const std::vector<Value> items = walk(machine, arguments.need("iterable"));
  if (!arguments.done()) return {};
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is(Kind::kText)) {
      return arguments.fail("got " + kind_name(items[i]) + " among the texts");
    }
    if (!machine.room(items[i].text().size() + self.text().size())) return {};
    if (i > 0) out += self.text();
    out += items[i].text();
  }
  return machine.text(std::move(out));
}

template <bool front>
Value remove_end(Machine& machine, Value self, Arguments& arguments) {
  const std::string_view what = arguments.text("prefix", {});
  std::string_view text = self.text();
  if (!arguments.done() || !machine.look(what.size())) return {};
  if (front && text.starts_with(what)) text.remove_prefix(what.size());
  if (!front && text.ends_with(what)) text.remove_suffix(what.size());
  return Value::text(text);
}

template <bool last>
Value partition(Machine& machine, Value self, Arguments& arguments) {
  const std::string_view what = arguments.text("sep", {});
  if (!arguments.done() || !machine.look(4 * self.text().size())) return {};
  if (what.empty()) return arguments.fail("got an empty separator");
  const std::string_view text = self.text();
  const std::size_t at = last ? find_last_text(text, what) : find_text(text, what);
  if (at == std::string_view::npos) {
    if (last) return texts(machine, {"", "", text}, ListStyle::kTuple);
    return texts(machine, {text, "", ""}, ListStyle::kTuple);
  }
  return texts(machine, {text.substr(0, at), what, text.substr(at + what.size())},
               ListStyle::kTuple);
}

/// Whether there are characters and all of them are of a kind.
template <bool (*test)(char32_t)>
Value all_are(Machine& machine, Value self, Arguments& arguments) {
  const std::string_view text = self.text();
  if (!arguments.done() || !machine.look(4 * text.size())) return {};
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    if (!test(c.code)) return Value::boolean(false);
    at += c.bytes;
  }
  return Value::boolean(!text.empty());
}

bool in(char32_t c, std::string_view categories) {
  return c < 0x110000 && (category_of(c) & category_mask(categories)) != 0;
}
bool is_alpha(char32_t c) { return in(c, "L"); }
bool is_digit(char32_t c) { return in(c, "Nd"); }
bool is_numeric(char32_t c) { return in(c, "N"); }
bool is_alnum(char32_t c) { return is_alpha(c) || is_numeric(c); }

template <bool upper>
Value is_case(Machine& machine, Value self, Arguments& arguments) {
  const std::string_view text = self.text();
  if (!arguments.done() || !machine.look(4 * text.size())) return {};
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = decode_utf8(text, at);
    if (in(c.code, upper ? "Ll" : "Lu")) return Value::boolean(false);
    any |= in(c.code, upper ? "Lu" : "Ll");
    at += c.bytes;
  }
  return Value::boolean(any);
}

/// Texts of `width` characters; `left` and `right` say on which side the fill goes.
template <bool left, bool right>
Value padded(Machine& machine, Value self, Arguments& arguments) {
  const std::int64_t width = arguments.integer("width", 0);
  const std::string_view fill = arguments.text("fillchar", " ");
  if (!arguments.done() || !machine.look(4 * self.text().size())) return {};
  if (count_characters(fill) != 1) return arguments.fail("wanted one character to fill with");
  const auto size = static_cast<std::int64_t>(count_characters(self.text()));
  if (width <= size) return self;
  const auto more = static_cast<std::size_t>(width - size);
  if (more > machine.limits().memory_bytes || !machine.room(more * fill.size())) {
    return machine.exhaust("a text of " + std::to_string(width) + " characters");
  }
  // As Python's center: the odd one goes to the left of an odd width.
  const std::size_t half = more / 2 + (more & static_cast<std::size_t>(width) & 1);
  const std::size_t before = left && right ? half : left ? more : 0;
  std::string out;
  for (std::size_t i = 0; i < before; ++i) out += fill;
  out += self.text();
  for (std::size_t i = before; i < more; ++i) out += fill;
  return machine.text(std::move(out));
}

Value zero_filled(Machine& machine, Value self, Arguments& arguments) {
  const std::int64_t width = arguments.integer("width", 0);
  if (!arguments.done() || !machine.look(4 * self.text().size())) return {};
  const std::string_view text = self.text();
  const auto size = static_cast<std::int64_t>(count_characters(text));
  if (width <= size) return self;
  const auto more = static_cast<std::size_t>(width - size);
  if (more > machine.limits().memory_bytes || !machine.room(more)) {
    return machine.exhaust("a text of " + std::to_string(width) + " characters");
  }
  const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  std::string out(text.substr(0, sign));
  out.append(more, '0');
  out += text.substr(sign);
  return machine.text(std::move(out));
}

Value format(Machine& machine, Value self, Arguments& arguments) {
  return brace_format(machine, self.text(), arguments);
}

}  // namespace

Value replaced(Machine& machine, std::string_view text, std::string_view from, std::string_view to,
               std::int64_t count) {
  if (!machine.look(4 * text.size())) return {};
  std::string out;
  if (from.empty()) {
    // As Python: before every character and at the end.
    for (std::size_t at = 0; machine.ok(); --count) {
      if (count == 0) {
        out += text.substr(at);
        break;
      }
      if (!machine.room(to.size())) return {};
      out += to;
      if (at >= text.size()) break;
      const std::size_t bytes = decode_utf8(text, at).bytes;
      out += text.substr(at, bytes);
      at += bytes;
    }
    return machine.text(std::move(out));
  }
  std::size_t begin = 0;
  for (; count != 0 && machine.ok(); --count) {
    const std::size_t at = find_text(text, from, begin);
    if (at == std::string_view::npos) break;
    if (!machine.room(to.size())) return {};
    out += text.substr(begin, at - begin);
    out += to;
    begin = at + from.size();
  }
  out += text.substr(begin);
  return machine.text(std::move(out));
}

namespace {

Value replace(Machine& machine, Value self, Arguments& arguments) {
  const Value from = arguments.need("old");
  const Value to = arguments.need("new");
  const std::int64_t count = arguments.integer("count", -1);
  if (!arguments.done()) return {};
  if (!from.is(Kind::kText) || !to.is(Kind::kText)) {
    return arguments.fail("got " + kind_name(from) + " and " + kind_name(to) + ", wanted texts");
  }
  return replaced(machine, self.text(), from.text(), to.text(), count);
}

constexpr MethodRow kRows[] = {
    {"capitalize", mapped<capital_text>},
    {"casefold", mapped<lower_text>},
    {"center", padded<true, true>},
    {"count", count},
    {"endswith", has_end<false>},
    {"find", find<false, false>},
    {"format", format},
    {"index", find<false, true>},
    {"isalnum", all_are<is_alnum>},
    {"isalpha", all_are<is_alpha>},
    {"isdecimal", all_are<is_digit>},
    {"isdigit", all_are<is_digit>},
    {"islower", is_case<false>},
    {"isnumeric", all_are<is_numeric>},
    {"isspace", all_are<is_space>},
    {"isupper", is_case<true>},
    {"join", join},
    {"ljust", padded<false, true>},
    {"lower", mapped<lower_text>},
    {"lstrip", strip<true, false>},
    {"partition", partition<false>},
    {"removeprefix", remove_end<true>},
    {"removesuffix", remove_end<false>},
    {"replace", replace},
    {"rfind", find<true, false>},
    {"rindex", find<true, true>},
    {"rjust", padded<true, false>},
    {"rpartition", partition<true>},
    {"rsplit", split<true>},
    {"rstrip", strip<false, true>},
    {"split", split<false>},
    {"splitlines", split_into_lines},
    {"startswith", has_end<true>},
    {"strip", strip<true, true>},
    {"swapcase", mapped<swap_case>},
    {"title", mapped<title_text>},
    {"upper", mapped<upper_text>},
    {"zfill", zero_filled},
};

}  // namespace

std::span<const MethodRow> text_methods() { return kRows; }

}  // namespace polaris::jinja
