#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "text/jinja/filters.h"
#include "text/jinja/operators.h"

namespace polaris::jinja {
namespace {

/// A value with what it is ordered by.
struct Keyed {
  std::vector<Value> keys;
  Value value;
};

// As Python: a key by itself must have an order, among several it need not where it is equal.
bool is_before(Machine& machine, const Keyed& a, const Keyed& b, bool several) {
  if (!several) return compare(machine, Operator::kLess, a.keys[0], b.keys[0]);
  for (std::size_t i = 0; i < a.keys.size() && machine.ok(); ++i) {
    if (equals(machine, a.keys[i], b.keys[i])) continue;
    return compare(machine, Operator::kLess, a.keys[i], b.keys[i]);
  }
  return false;
}

/// Stable, in reverse too, as Python's sorted.
void sort_keyed(Machine& machine, std::vector<Keyed>& rows, bool reverse, bool several = false) {
  if (reverse) std::reverse(rows.begin(), rows.end());
  std::stable_sort(rows.begin(), rows.end(), [&](const Keyed& a, const Keyed& b) {
    return machine.ok() && is_before(machine, a, b, several);
  });
  if (reverse) std::reverse(rows.begin(), rows.end());
}

std::vector<Keyed> keyed(Machine& machine, const Value& value,
                         const std::vector<AttributePath>& paths, bool case_sensitive,
                         const Value& otherwise = Value::none()) {
  std::vector<Keyed> out;
  for (const Value& item : walk(machine, value)) {
    if (!machine.room_for(4 + paths.size())) return {};
    Keyed row{{}, item};
    for (const AttributePath& path : paths) {
      const Value key = path.of(item, otherwise);
      row.keys.push_back(case_sensitive ? key : without_case(machine, key));
    }
    out.push_back(std::move(row));
  }
  return out;
}

Value values_of(Machine& machine, const std::vector<Keyed>& rows, ListStyle style) {
  std::vector<Value> out;
  out.reserve(rows.size());
  for (const Keyed& row : rows) out.push_back(row.value);
  return machine.list(std::move(out), style);
}

Value sort(Machine& machine, Value value, Arguments& arguments) {
  const bool reverse = arguments.flag("reverse", false);
  const bool case_sensitive = arguments.flag("case_sensitive", false);
  const Value attribute = arguments.take("attribute", Value::none());
  if (!arguments.done()) return {};
  std::vector<AttributePath> paths;
  if (attribute.is(Kind::kText)) {
    for (const std::string_view part : split(attribute.text(), ',')) {
      paths.emplace_back(machine, Value::text(part));
    }
  } else {
    paths.emplace_back(machine, attribute);
  }
  std::vector<Keyed> rows = keyed(machine, value, paths, case_sensitive);
  sort_keyed(machine, rows, reverse, true);
  return values_of(machine, rows, ListStyle::kList);
}

Value unique(Machine& machine, Value value, Arguments& arguments) {
  const bool case_sensitive = arguments.flag("case_sensitive", false);
  const AttributePath path(machine, arguments.take("attribute", Value::none()));
  if (!arguments.done()) return {};
  std::vector<Keyed> out;
  for (Keyed& row : keyed(machine, value, {path}, case_sensitive)) {
    const Value& key = row.keys[0];
    if (!can_be_key(key)) {
      return arguments.fail("got " + kind_name(key) + ", wanted values that never change");
    }
    const bool seen = std::any_of(out.begin(), out.end(), [&](const Keyed& other) {
      return equals(machine, other.keys[0], row.keys[0]);
    });
    if (!machine.ok()) return {};
    if (!seen) out.push_back(std::move(row));
  }
  return values_of(machine, out, ListStyle::kGenerator);
}

template <bool largest>
Value extreme(Machine& machine, Value value, Arguments& arguments) {
  const bool case_sensitive = arguments.flag("case_sensitive", false);
  const AttributePath path(machine, arguments.take("attribute", Value::none()));
  if (!arguments.done()) return {};
  const std::vector<Keyed> rows = keyed(machine, value, {path}, case_sensitive);
  if (rows.empty()) return Value::undefined(largest ? "max" : "min");
  const Keyed* best = &rows.front();
  for (const Keyed& row : rows) {
    if (&row == best || !machine.ok()) continue;
    const Operator better = largest ? Operator::kGreater : Operator::kLess;
    if (compare(machine, better, row.keys[0], best->keys[0])) best = &row;
  }
  return best->value;
}

Value dict_sort(Machine& machine, Value value, Arguments& arguments) {
  const bool case_sensitive = arguments.flag("case_sensitive", false);
  const std::string_view by = arguments.text("by", "key");
  const bool reverse = arguments.flag("reverse", false);
  if (!arguments.done() || !must_be_defined(machine, value)) return {};
  if (by != "key" && by != "value") return arguments.fail("'by', wanted key or value");
  if (!value.is(Kind::kDict)) return arguments.fail("got " + kind_name(value) + ", wanted a dict");
  std::vector<Keyed> rows;
  for (const auto& [key, entry] : value.dict().entries) {
    if (!machine.room_for(6)) return {};
    const Value of = by == "key" ? key : entry;
    rows.push_back({{case_sensitive ? of : without_case(machine, of)},
                    machine.list({key, entry}, ListStyle::kTuple)});
  }
  sort_keyed(machine, rows, reverse);
  return values_of(machine, rows, ListStyle::kList);
}

Value group_by(Machine& machine, Value value, Arguments& arguments) {
  const AttributePath path(machine, arguments.need("attribute"));
  const Value otherwise = arguments.take("default", Value::none());
  const bool case_sensitive = arguments.flag("case_sensitive", false);
  if (!arguments.done()) return {};
  std::vector<Keyed> rows = keyed(machine, value, {path}, case_sensitive, otherwise);
  sort_keyed(machine, rows, false);
  std::vector<Value> out;
  for (std::size_t at = 0; at < rows.size() && machine.ok();) {
    std::vector<Value> members;
    const std::size_t start = at;
    for (; at < rows.size() && equals(machine, rows[at].keys[0], rows[start].keys[0]); ++at) {
      members.push_back(rows[at].value);
    }
    if (at == start) ++at;  // what equals nothing, not even itself
    const Value name = path.of(rows[start].value, otherwise);
    if (!machine.room_for(1)) return {};
    out.push_back(machine.list({name, machine.list(std::move(members))}, ListStyle::kTuple));
  }
  return machine.list(std::move(out));
}

constexpr MethodRow kRows[] = {
    {"dictsort", dict_sort}, {"groupby", group_by}, {"max", extreme<true>},
    {"min", extreme<false>}, {"sort", sort},        {"unique", unique},
};

}  // namespace

std::span<const MethodRow> order_filters() { return kRows; }

}  // namespace polaris::jinja
