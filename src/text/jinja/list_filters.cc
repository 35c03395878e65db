#include <algorithm>

#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

Value otherwise(Machine& machine, Value value, Arguments& arguments) {
  const Value other = arguments.take("default_value", Value::text(""));
  const bool boolean = arguments.flag("boolean", false);
  if (!arguments.done()) return {};
  return value.is(Kind::kUndefined) || (boolean && !truth(machine, value)) ? other : value;
}

Value count(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  return Value::integer(length(machine, value));
}

Value first(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  if (value.is(Kind::kList) && value.list().style == ListStyle::kGenerator) {
    List& list = value.list();
    return list.taken < list.items.size() ? list.items[list.taken++] : Value::undefined("first");
  }
  if (value.is(Kind::kList)) {
    const std::vector<Value>& items = value.list().items;
    return items.empty() ? Value::undefined("first") : items.front();
  }
  const std::vector<Value> items = walk(machine, value);
  return items.empty() ? Value::undefined("first") : items.front();
}

Value last(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  if (value.is(Kind::kList) && value.list().style == ListStyle::kGenerator) {
    return arguments.fail("got a generator, wanted a list of it");
  }
  if (value.is(Kind::kList)) {
    const std::vector<Value>& items = value.list().items;
    return items.empty() ? Value::undefined("last") : items.back();
  }
  const std::vector<Value> items = walk(machine, value);
  return items.empty() ? Value::undefined("last") : items.back();
}

Value to_list(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  return machine.list(walk(machine, value));
}

Value join(Machine& machine, Value value, Arguments& arguments) {
  const std::string between = text_of(machine, arguments.take("d", Value::text("")));
  const AttributePath path(machine, arguments.take("attribute", Value::none()));
  if (!arguments.done()) return {};
  std::string out;
  bool at_first = true;
  for (const Value& item : walk(machine, value)) {
    const std::string text = text_of(machine, path.of(item));
    if (!machine.room(text.size() + between.size())) return {};
    if (!at_first) out += between;
    at_first = false;
    out += text;
  }
  return machine.text(std::move(out));
}

Value reverse(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  std::vector<Value> items = walk(machine, value);
  std::reverse(items.begin(), items.end());
  if (!value.is(Kind::kText)) {
    const bool walked = value.is(Kind::kList) && value.list().style == ListStyle::kGenerator;
    return machine.list(std::move(items), walked ? ListStyle::kList : ListStyle::kGenerator);
  }
  std::string out;
  for (const Value& item : items) out += item.text();
  return machine.text(std::move(out));
}

Value dict_items(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  if (value.is(Kind::kUndefined)) return machine.list({}, ListStyle::kGenerator);
  if (!value.is(Kind::kDict)) return arguments.fail("got " + kind_name(value) + ", wanted a dict");
  std::vector<Value> out;
  for (const auto& [key, entry] : value.dict().entries) {
    if (!machine.room_for(1)) return {};
    out.push_back(machine.list({key, entry}, ListStyle::kTuple));
  }
  return machine.list(std::move(out), ListStyle::kGenerator);
}

Value batch(Machine& machine, Value value, Arguments& arguments) {
  const std::int64_t size = arguments.integer("linecount", 0);
  const Value fill = arguments.take("fill_with", Value::none());
  if (!arguments.done()) return {};
  if (size < 1) return arguments.fail("'linecount', wanted at least 1");
  const std::vector<Value> items = walk(machine, value);
  std::vector<Value> out;
  for (std::size_t at = 0; at < items.size() && machine.room_for(1);) {
    const std::size_t end = std::min(items.size() - at, static_cast<std::size_t>(size)) + at;
    std::vector<Value> row(items.begin() + static_cast<std::ptrdiff_t>(at),
                           items.begin() + static_cast<std::ptrdiff_t>(end));
    const std::size_t missing = static_cast<std::size_t>(size) - row.size();
    if (!fill.is(Kind::kNone)) {
      if (missing > machine.limits().memory_bytes || !machine.room_for(missing)) return {};
      row.insert(row.end(), missing, fill);
    }
    out.push_back(machine.list(std::move(row)));
    at = end;
  }
  return machine.list(std::move(out), ListStyle::kGenerator);
}

Value slices(Machine& machine, Value value, Arguments& arguments) {
  const std::int64_t count = arguments.integer("slices", 0);
  const Value fill = arguments.take("fill_with", Value::none());
  if (!arguments.done()) return {};
  if (count < 1) return arguments.fail("'slices', wanted at least 1");
  if (count > (1 << 20)) return arguments.fail("'slices', wanted at most 1048576");
  const std::vector<Value> items = walk(machine, value);
  const std::size_t each = items.size() / static_cast<std::size_t>(count);
  const std::size_t longer = items.size() % static_cast<std::size_t>(count);
  std::vector<Value> out;
  auto at = items.begin();
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) && machine.room_for(1); ++i) {
    const auto end = at + static_cast<std::ptrdiff_t>(each + (i < longer ? 1 : 0));
    std::vector<Value> row(at, end);
    if (!fill.is(Kind::kNone) && i >= longer) row.push_back(fill);
    out.push_back(machine.list(std::move(row)));
    at = end;
  }
  return machine.list(std::move(out), ListStyle::kGenerator);
}

Value sum(Machine& machine, Value value, Arguments& arguments) {
  const AttributePath path(machine, arguments.take("attribute", Value::none()));
  Value out = arguments.take("start", Value::integer(0));
  if (!arguments.done()) return {};
  if (out.is(Kind::kText)) return arguments.fail("got a text to start with, wanted a number");
  for (const Value& item : walk(machine, value)) {
    out = arithmetic(machine, Operator::kAdd, out, path.of(item));
    if (!machine.ok()) return {};
  }
  return out;
}

Value attribute_of(Machine& machine, Value value, Arguments& arguments) {
  const std::string_view name = arguments.text("name", {});
  if (!arguments.done()) return {};
  if (!value.is(Kind::kDict)) return attribute(machine, value, name);
  const Value bound = method(machine, value, name);
  return bound.is(Kind::kUndefined) ? Value::undefined(name) : bound;
}

constexpr MethodRow kRows[] = {
    {"attr", attribute_of}, {"batch", batch},  {"count", count},      {"d", otherwise},
    {"default", otherwise}, {"first", first},  {"items", dict_items}, {"join", join},
    {"last", last},         {"length", count}, {"list", to_list},     {"reverse", reverse},
    {"slice", slices},      {"sum", sum},
};

}  // namespace

std::span<const MethodRow> list_filters() { return kRows; }

}  // namespace polaris::jinja
