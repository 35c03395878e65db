#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "base/unicode.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

const Value* find_entry(Machine& machine, const Dict& dict, const Value& key) {
  if (key.is(Kind::kText)) {
    if (!machine.step(dict.find_steps()) || !machine.look(key.text().size())) return nullptr;
    return dict.find_text(key.text());
  }
  for (const auto& [known, value] : dict.entries) {
    if (!machine.step()) return nullptr;
    if (equals(machine, known, key)) return &value;
  }
  return nullptr;
}

bool has_places(const Value& value) {
  return value.is(Kind::kList) &&
         (value.list().style == ListStyle::kList || value.list().style == ListStyle::kTuple ||
          value.list().style == ListStyle::kRange);
}

/// Of `place`, counted from the end where negative; nothing outside.
std::optional<std::size_t> place_of(std::int64_t place, std::size_t size) {
  const auto count = static_cast<std::int64_t>(size);
  if (place < 0) place += count;
  if (place < 0 || place >= count) return std::nullopt;
  return static_cast<std::size_t>(place);
}

Value loop_attribute(Machine& machine, const Value& value, std::string_view name) {
  const LoopState& loop = value.loop();
  const auto index = static_cast<std::int64_t>(loop.index);
  const auto count = static_cast<std::int64_t>(loop.items.size());
  if (name == "index") return Value::integer(index + 1);
  if (name == "index0") return Value::integer(index);
  if (name == "revindex") return Value::integer(count - index);
  if (name == "revindex0") return Value::integer(count - index - 1);
  if (name == "first") return Value::boolean(index == 0);
  if (name == "last") return Value::boolean(index + 1 == count);
  if (name == "length") return Value::integer(count);
  if (name == "depth") return Value::integer(loop.depth + 1);
  if (name == "depth0") return Value::integer(loop.depth);
  if (name == "previtem") {
    return index == 0 ? Value::undefined("loop.previtem") : loop.items[loop.index - 1];
  }
  if (name == "nextitem") {
    return index + 1 >= count ? Value::undefined("loop.nextitem") : loop.items[loop.index + 1];
  }
  return method(machine, value, name);
}

Value undefined_attribute(Machine& machine, const Value& value, std::string_view name) {
  if (value.is(Kind::kUndefined)) {
    must_be_defined(machine, value);
    return {};
  }
  return Value::undefined(machine.text(std::string(name)).text());
}

/// Python's slice.indices.
struct Bounds {
  std::int64_t from = 0, to = 0, step = 1;
};

std::optional<Bounds> bounds_of(Machine& machine, const Value& from, const Value& to,
                                const Value& step, std::int64_t size) {
  const auto whole = [&](const Value& value, std::int64_t otherwise) {
    if (value.is(Kind::kNone)) return otherwise;
    if (value.is_whole()) return value.integer();
    machine.fail("slice, got " + kind_name(value) + ", wanted whole numbers");
    return otherwise;
  };
  Bounds out;
  out.step = std::clamp<std::int64_t>(whole(step, 1), -INT64_MAX, INT64_MAX);
  if (out.step == 0) machine.fail("slice, got a step of 0");
  if (!machine.ok()) return std::nullopt;
  const bool back = out.step < 0;
  const std::int64_t low = back ? -1 : 0;
  const std::int64_t high = back ? size - 1 : size;
  const auto place = [&](const Value& value, std::int64_t otherwise) {
    if (value.is(Kind::kNone)) return otherwise;
    std::int64_t at = whole(value, 0);
    if (at < 0) at = at < -size ? low : at + size;
    return std::clamp(at, low, high);
  };
  out.from = place(from, back ? high : low);
  out.to = place(to, back ? low : high);
  return machine.ok() ? std::optional(out) : std::nullopt;
}

/// Numbers of the places that a slice takes.
std::vector<std::size_t> places(const Bounds& bounds) {
  std::vector<std::size_t> out;
  const bool back = bounds.step < 0;
  for (std::int64_t at = bounds.from; back ? at > bounds.to : at < bounds.to;) {
    out.push_back(static_cast<std::size_t>(at));
    const std::int64_t left = bounds.to - at;
    if (back ? left >= bounds.step : left <= bounds.step) break;
    at += bounds.step;
  }
  return out;
}

Value slice_text(Machine& machine, std::string_view text, const Value& from, const Value& to,
                 const Value& step) {
  if (!machine.look(2 * text.size())) return {};
  const auto size = static_cast<std::int64_t>(count_characters(text));
  const auto bounds = bounds_of(machine, from, to, step, size);
  if (!bounds) return {};
  if (bounds->step == 1) {
    if (bounds->from >= bounds->to) return Value::text("");
    const std::size_t begin = byte_of(text, static_cast<std::size_t>(bounds->from));
    const auto count = static_cast<std::size_t>(bounds->to - bounds->from);
    return Value::text(text.substr(begin, byte_of(text.substr(begin), count)));
  }
  const std::vector<Value> characters = walk(machine, Value::text(text));
  std::string out;
  if (!machine.ok()) return {};
  for (const std::size_t at : places(*bounds)) out += characters[at].text();
  return machine.text(std::move(out));
}

}  // namespace

Value attribute(Machine& machine, const Value& value, std::string_view name) {
  if (!machine.step()) return {};
  if (value.is(Kind::kNamespace)) {
    const Value* there = value.dict().find_text(name);
    return there != nullptr ? *there : undefined_attribute(machine, value, name);
  }
  if (value.is(Kind::kLoop)) return loop_attribute(machine, value, name);
  if (value.is(Kind::kCallable) && name == "name" && value.callable().macro != nullptr) {
    return Value::text(value.callable().name);
  }
  // As Python: a dict's methods stand before its keys.
  const Value bound = method(machine, value, name);
  if (!bound.is(Kind::kUndefined)) return bound;
  if (value.is(Kind::kDict)) {
    if (const Value* there = find_entry(machine, value.dict(), Value::text(name))) return *there;
  }
  return undefined_attribute(machine, value, name);
}

Value item(Machine& machine, const Value& value, const Value& key) {
  if (!machine.step()) return {};
  if (value.is(Kind::kUndefined)) {
    must_be_defined(machine, value);
    return {};
  }
  if (value.is(Kind::kDict)) {
    if (const Value* there = find_entry(machine, value.dict(), key)) return *there;
  } else if (key.is_whole() && has_places(value)) {
    const std::vector<Value>& items = value.list().items;
    if (const auto place = place_of(key.integer(), items.size())) return items[*place];
  } else if (key.is_whole() && value.is(Kind::kText)) {
    const std::string_view text = value.text();
    if (!machine.look(2 * text.size())) return {};
    if (const auto place = place_of(key.integer(), count_characters(text))) {
      const std::size_t at = byte_of(text, *place);
      return character(text, at, decode_utf8(text, at).bytes);
    }
  }
  if (!key.is(Kind::kText)) return undefined_attribute(machine, value, text_of(machine, key));
  // As Jinja: what is no key may be an attribute.
  if (value.is(Kind::kNamespace) || value.is(Kind::kLoop)) {
    return attribute(machine, value, key.text());
  }
  const Value bound = method(machine, value, key.text());
  return bound.is(Kind::kUndefined) ? undefined_attribute(machine, value, key.text()) : bound;
}

Value slice(Machine& machine, const Value& value, const Value& from, const Value& to,
            const Value& step) {
  if (!must_be_defined(machine, value)) return {};
  if (value.is(Kind::kText)) return slice_text(machine, value.text(), from, to, step);
  if (!has_places(value)) {
    return machine.fail("got " + kind_name(value) + ", wanted a text or a list");
  }
  const std::vector<Value>& items = value.list().items;
  const auto bounds = bounds_of(machine, from, to, step, static_cast<std::int64_t>(items.size()));
  if (!bounds || !machine.room_for(items.size())) return {};
  std::vector<Value> out;
  for (const std::size_t at : places(*bounds)) out.push_back(items[at]);
  const bool is_range = value.list().style == ListStyle::kRange;
  return machine.list(std::move(out), is_range ? ListStyle::kList : value.list().style);
}

}  // namespace polaris::jinja
