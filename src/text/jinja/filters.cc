#include "text/jinja/filters.h"

#include <algorithm>

#include "base/strings.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

const MethodRow* find(std::span<const MethodRow> rows, std::string_view name) {
  const auto at = std::find_if(rows.begin(), rows.end(),
                               [&](const MethodRow& row) { return row.name == name; });
  return at == rows.end() ? nullptr : &*at;
}

}  // namespace

const MethodRow* find_filter(std::string_view name) {
  for (const auto& rows :
       {text_filters(), number_filters(), list_filters(), select_filters(), order_filters()}) {
    if (const MethodRow* row = find(rows, name)) return row;
  }
  return nullptr;
}

const MethodRow* find_test(std::string_view name) { return find(tests(), name); }

Value apply_filter(Machine& machine, std::string_view name, const Value& value,
                   Arguments& arguments) {
  if (!machine.step()) return {};
  const MethodRow* row = find_filter(name);
  if (row == nullptr) {
    return arguments.fail("there is none of that name");
  }
  return row->call(machine, value, arguments);
}

bool apply_test(Machine& machine, std::string_view name, const Value& value, Arguments& arguments) {
  if (!machine.step()) return false;
  const MethodRow* row = find_test(name);
  if (row == nullptr) {
    arguments.fail("there is none of that name");
    return false;
  }
  return truth(machine, row->call(machine, value, arguments));
}

AttributePath::AttributePath(Machine& machine, const Value& path) : machine_(machine) {
  if (path.is(Kind::kNone)) return;
  if (!path.is(Kind::kText)) {
    parts_.push_back(path);
    return;
  }
  for (const std::string_view part : split(path.text(), '.')) {
    const auto number = parse_i64(part);
    const bool digits = number && part.find_first_not_of("0123456789") == std::string_view::npos;
    if (!machine.room_for(1)) return;
    parts_.push_back(digits ? Value::integer(*number) : Value::text(part));
  }
}

Value AttributePath::of(const Value& value, const Value& otherwise) const {
  Value out = value;
  for (const Value& part : parts_) {
    out = item(machine_, out, part);
    if (out.is(Kind::kUndefined) && !otherwise.is(Kind::kNone)) out = otherwise;
  }
  return out;
}

Value without_case(Machine& machine, const Value& value) {
  if (!value.is(Kind::kText) || !machine.look(4 * value.text().size())) return value;
  return machine.text(lower_text(value.text()));
}

}  // namespace polaris::jinja
