#include <cmath>

#include "text/jinja/filters.h"
#include "text/jinja/operators.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

using Test = Value (*)(Machine&, Value, Arguments&);

bool is_view(const Value& value) {
  return value.is(Kind::kList) &&
         (value.list().style == ListStyle::kGenerator || value.list().style == ListStyle::kItems ||
          value.list().style == ListStyle::kKeys || value.list().style == ListStyle::kValues);
}

bool is_defined(const Value& v) { return !v.is(Kind::kUndefined); }
bool is_undefined(const Value& v) { return v.is(Kind::kUndefined); }
bool is_none(const Value& v) { return v.is(Kind::kNone); }
bool is_bool(const Value& v) { return v.is(Kind::kBool); }
bool is_true(const Value& v) { return v.is(Kind::kBool) && v.integer() != 0; }
bool is_false(const Value& v) { return v.is(Kind::kBool) && v.integer() == 0; }
bool is_integer(const Value& v) { return v.is(Kind::kInt); }
bool is_float(const Value& v) { return v.is(Kind::kFloat); }
bool is_number(const Value& v) { return v.is_number(); }
bool is_string(const Value& v) { return v.is(Kind::kText); }
bool is_mapping(const Value& v) { return v.is(Kind::kDict); }
// As Jinja has it, an undefined value can be iterated and called: it then fails.
bool is_sequence(const Value& v) {
  return v.is(Kind::kText) || v.is(Kind::kDict) || v.is(Kind::kUndefined) ||
         (v.is(Kind::kList) && !is_view(v));
}
bool is_iterable(const Value& v) {
  return v.is(Kind::kText) || v.is(Kind::kDict) || v.is(Kind::kUndefined) || v.is(Kind::kList) ||
         v.is(Kind::kLoop);
}
bool is_callable(const Value& v) {
  return v.is(Kind::kCallable) || v.is(Kind::kUndefined) || v.is(Kind::kLoop);
}
bool is_escaped(const Value&) { return false; }

template <bool (*test)(const Value&)>
Value plain(Machine&, Value value, Arguments& arguments) {
  return arguments.done() ? Value::boolean(test(value)) : Value();
}

template <Operator op>
Value compared(Machine& machine, Value value, Arguments& arguments) {
  const Value other = arguments.need("other");
  return arguments.done() ? Value::boolean(compare(machine, op, value, other)) : Value();
}

Value same_as(Machine&, Value value, Arguments& arguments) {
  const Value other = arguments.need("other");
  return arguments.done() ? Value::boolean(value.same(other)) : Value();
}

/// value % by == wanted
Value remainder(Machine& machine, const Value& value, const Value& by, std::int64_t wanted) {
  const Value rest = arithmetic(machine, Operator::kModulo, value, by);
  return Value::boolean(machine.ok() && equals(machine, rest, Value::integer(wanted)));
}

Value odd(Machine& machine, Value value, Arguments& arguments) {
  return arguments.done() ? remainder(machine, value, Value::integer(2), 1) : Value();
}

Value even(Machine& machine, Value value, Arguments& arguments) {
  return arguments.done() ? remainder(machine, value, Value::integer(2), 0) : Value();
}

Value divisible_by(Machine& machine, Value value, Arguments& arguments) {
  const Value by = arguments.need("num");
  return arguments.done() ? remainder(machine, value, by, 0) : Value();
}

template <bool upper>
Value is_case(Machine& machine, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  const Value text = machine.text(text_of(machine, value));
  const Value bound = method(machine, text, upper ? "isupper" : "islower");
  Arguments none(machine, arguments.callee());
  return machine.ok() ? bound.callable().method(machine, text, none) : Value();
}

template <const MethodRow* (*find)(std::string_view)>
Value is_known(Machine&, Value value, Arguments& arguments) {
  if (!arguments.done()) return {};
  if (!can_be_key(value)) return arguments.fail("got " + kind_name(value) + ", wanted a name");
  return Value::boolean(value.is(Kind::kText) && find(value.text()) != nullptr);
}

constexpr Test kEqual = compared<Operator::kEqual>;
constexpr Test kNotEqual = compared<Operator::kNotEqual>;
constexpr Test kLess = compared<Operator::kLess>;
constexpr Test kLessEqual = compared<Operator::kLessEqual>;
constexpr Test kGreater = compared<Operator::kGreater>;
constexpr Test kGreaterEqual = compared<Operator::kGreaterEqual>;

constexpr MethodRow kRows[] = {
    {"!=", kNotEqual},
    {"<", kLess},
    {"<=", kLessEqual},
    {"==", kEqual},
    {">", kGreater},
    {">=", kGreaterEqual},
    {"boolean", plain<is_bool>},
    {"callable", plain<is_callable>},
    {"defined", plain<is_defined>},
    {"divisibleby", divisible_by},
    {"eq", kEqual},
    {"equalto", kEqual},
    {"escaped", plain<is_escaped>},
    {"even", even},
    {"false", plain<is_false>},
    {"filter", is_known<find_filter>},
    {"float", plain<is_float>},
    {"ge", kGreaterEqual},
    {"greaterthan", kGreater},
    {"gt", kGreater},
    {"in", compared<Operator::kIn>},
    {"integer", plain<is_integer>},
    {"iterable", plain<is_iterable>},
    {"le", kLessEqual},
    {"lessthan", kLess},
    {"lower", is_case<false>},
    {"lt", kLess},
    {"mapping", plain<is_mapping>},
    {"ne", kNotEqual},
    {"none", plain<is_none>},
    {"number", plain<is_number>},
    {"odd", odd},
    {"sameas", same_as},
    {"sequence", plain<is_sequence>},
    {"string", plain<is_string>},
    {"test", is_known<find_test>},
    {"true", plain<is_true>},
    {"undefined", plain<is_undefined>},
    {"upper", is_case<true>},
};

}  // namespace

std::span<const MethodRow> tests() { return kRows; }

}  // namespace polaris::jinja
