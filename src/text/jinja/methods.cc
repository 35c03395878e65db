#include "text/jinja/methods.h"

#include <algorithm>
#include <iterator>

#include "text/jinja/operators.h"

namespace polaris::jinja {
namespace {

/// What Jinja's sandbox keeps from templates, as it changes a value.
Value forbidden(Machine&, Value, Arguments& arguments) {
  return arguments.fail("changes a value, which templates may not");
}

Value list_count(Machine& machine, Value self, Arguments& arguments) {
  const Value what = arguments.need("value");
  if (!arguments.done()) return {};
  std::int64_t out = 0;
  for (const Value& item : self.list().items) out += equals(machine, item, what) ? 1 : 0;
  return Value::integer(out);
}

Value list_index(Machine& machine, Value self, Arguments& arguments) {
  const Value what = arguments.need("value");
  if (!arguments.done()) return {};
  const std::vector<Value>& items = self.list().items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (equals(machine, items[i], what)) return Value::integer(static_cast<std::int64_t>(i));
  }
  return arguments.fail("got a value that is not there");
}

Value list_copy(Machine& machine, Value self, Arguments& arguments) {
  if (!arguments.done()) return {};
  return machine.list(walk(machine, self));
}

Value dict_items(Machine& machine, Value self, Arguments& arguments) {
  if (!arguments.done()) return {};
  std::vector<Value> out;
  for (const auto& [key, value] : self.dict().entries) {
    if (!machine.room_for(1)) return {};
    out.push_back(machine.list({key, value}, ListStyle::kTuple));
  }
  return machine.list(std::move(out), ListStyle::kItems);
}

Value dict_keys(Machine& machine, Value self, Arguments& arguments) {
  if (!arguments.done()) return {};
  return machine.list(walk(machine, self), ListStyle::kKeys);
}

Value dict_values(Machine& machine, Value self, Arguments& arguments) {
  if (!arguments.done() || !machine.room_for(self.dict().entries.size())) return {};
  std::vector<Value> out;
  for (const auto& entry : self.dict().entries) out.push_back(entry.second);
  return machine.list(std::move(out), ListStyle::kValues);
}

Value dict_get(Machine& machine, Value self, Arguments& arguments) {
  const Value key = arguments.need("key");
  const Value otherwise = arguments.take("default", Value::none());
  if (!arguments.done()) return {};
  if (key.is(Kind::kText)) {
    if (!machine.step(self.dict().find_steps()) || !machine.look(key.text().size())) return {};
    const Value* there = self.dict().find_text(key.text());
    return there == nullptr ? otherwise : *there;
  }
  for (const auto& [known, value] : self.dict().entries) {
    if (equals(machine, known, key)) return value;
  }
  return otherwise;
}

Value dict_copy(Machine& machine, Value self, Arguments& arguments) {
  if (!arguments.done()) return {};
  const Value out = machine.dict();
  for (const auto& [key, value] : self.dict().entries) machine.set(out.dict(), key, value);
  return out;
}

Value loop_cycle(Machine&, Value self, Arguments& arguments) {
  const std::size_t count = arguments.plain.size();
  if (count == 0) return arguments.fail("got nothing to cycle through");
  return arguments.plain[self.loop().index % count];
}

Value loop_changed(Machine& machine, Value self, Arguments& arguments) {
  const Value now = machine.list(arguments.plain, ListStyle::kTuple);
  LoopState& loop = self.loop();
  if (loop.changed.is(Kind::kList) && equals(machine, loop.changed, now)) {
    return Value::boolean(false);
  }
  loop.changed = now;
  return Value::boolean(true);
}

constexpr MethodRow kListRows[] = {
    {"append", forbidden}, {"clear", forbidden},   {"copy", list_copy},   {"count", list_count},
    {"extend", forbidden}, {"index", list_index},  {"insert", forbidden}, {"pop", forbidden},
    {"remove", forbidden}, {"reverse", forbidden}, {"sort", forbidden},
};
constexpr MethodRow kTupleRows[] = {{"count", list_count}, {"index", list_index}};
constexpr MethodRow kDictRows[] = {
    {"clear", forbidden},    {"copy", dict_copy},       {"get", dict_get},
    {"items", dict_items},   {"keys", dict_keys},       {"pop", forbidden},
    {"popitem", forbidden},  {"setdefault", forbidden}, {"update", forbidden},
    {"values", dict_values},
};
constexpr MethodRow kLoopRows[] = {{"cycle", loop_cycle}, {"changed", loop_changed}};

std::span<const MethodRow> rows_of(const Value& value) {
  switch (value.kind()) {
    case Kind::kText: return text_methods();
    case Kind::kDict: return kDictRows;
    case Kind::kLoop: return kLoopRows;
    case Kind::kList:
      if (value.list().style == ListStyle::kList) return kListRows;
      if (value.list().style == ListStyle::kTuple || value.list().style == ListStyle::kRange) {
        return kTupleRows;
      }
      return {};
    default: return {};
  }
}

}  // namespace

Value method(Machine& machine, const Value& value, std::string_view name) {
  const std::span<const MethodRow> rows = rows_of(value);
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const MethodRow& r) { return r.name == name; });
  if (row == rows.end()) return {};
  Callable out;
  out.name = row->name;
  out.method = row->call;
  out.self = value;
  return machine.callable(out);
}

}  // namespace polaris::jinja
