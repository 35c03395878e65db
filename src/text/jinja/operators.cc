#include "text/jinja/operators.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "base/strings.h"
#include "base/unicode.h"
#include "text/jinja/printf.h"
#include "text/jinja/python_text.h"

namespace polaris::jinja {
namespace {

// Lists within lists; deeper ones come of no template that is meant.
constexpr int kDepthMax = 100;

constexpr std::string_view kNames[] = {
    "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in"};

bool too_deep(Machine& machine, int depth) {
  if (depth <= kDepthMax) return false;
  machine.exhaust("values nested in values, wanted at most " + std::to_string(kDepthMax));
  return true;
}

int order_numbers(const Value& a, const Value& b) {
  if (a.is_whole() && b.is_whole()) {
    return a.integer() < b.integer() ? -1 : a.integer() > b.integer() ? 1 : 0;
  }
  const auto wide = [](const Value& v) {
    return v.is_whole() ? static_cast<long double>(v.integer())
                        : static_cast<long double>(v.real());
  };
  const long double x = wide(a);
  const long double y = wide(b);
  return x < y ? -1 : x == y ? 0 : 1;
}

bool is_nan(const Value& value) { return value.is(Kind::kFloat) && std::isnan(value.real()); }

bool equal_dicts(Machine& machine, const Dict& a, const Dict& b, int depth) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& [key, value] : a.entries) {
    const Value* other = nullptr;
    if (key.is(Kind::kText)) {
      if (!machine.step(b.find_steps())) return false;
      other = b.find_text(key.text());
    } else {
      for (const auto& [known, there] : b.entries) {
        if (!machine.step()) return false;
        if (equals(machine, known, key, depth + 1)) other = &there;
      }
    }
    if (other == nullptr || !equals(machine, value, *other, depth + 1)) return false;
  }
  return true;
}

Value type_fault(Machine& machine, Operator op, const Value& a, const Value& b) {
  if (!must_be_defined(machine, a) || !must_be_defined(machine, b)) return {};
  return machine.fail("operator '" + std::string(operator_name(op)) + "', got " + kind_name(a) +
                      " and " + kind_name(b));
}

Value repeat(Machine& machine, const Value& what, std::int64_t count) {
  const auto times = static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
  const bool is_text = what.is(Kind::kText);
  const std::size_t size = is_text ? what.text().size() : what.list().items.size();
  const auto total = checked_mul<std::size_t>(times, size);
  if (!total || *total > machine.limits().memory_bytes) {
    return machine.exhaust("operator '*', wanted at most " +
                           std::to_string(machine.limits().memory_bytes) + " bytes");
  }
  if (is_text) {
    if (!machine.look(*total)) return {};
    std::string out;
    out.reserve(*total);
    for (std::size_t i = 0; i < times && size > 0; ++i) out += what.text();
    return machine.text(std::move(out));
  }
  if (!machine.room_for(*total)) return {};
  std::vector<Value> items;
  items.reserve(*total);
  for (std::size_t i = 0; i < times && size > 0; ++i) {
    items.insert(items.end(), what.list().items.begin(), what.list().items.end());
  }
  return machine.list(std::move(items), what.list().style);
}

bool is_row(const Value& value) {
  return value.is(Kind::kList) &&
         (value.list().style == ListStyle::kList || value.list().style == ListStyle::kTuple);
}

Value add(Machine& machine, const Value& a, const Value& b) {
  if (a.is(Kind::kText) && b.is(Kind::kText)) {
    if (!machine.look(a.text().size() + b.text().size())) return {};
    std::string out;
    out.reserve(a.text().size() + b.text().size());
    out += a.text();
    out += b.text();
    return machine.text(std::move(out));
  }
  if (is_row(a) && is_row(b) && a.list().style == b.list().style) {
    if (!machine.room_for(a.list().items.size() + b.list().items.size())) return {};
    std::vector<Value> items = a.list().items;
    items.insert(items.end(), b.list().items.begin(), b.list().items.end());
    return machine.list(std::move(items), a.list().style);
  }
  return type_fault(machine, Operator::kAdd, a, b);
}

Value overflow(Machine& machine, Operator op) {
  return machine.fail("operator '" + std::string(operator_name(op)) +
                      "', got a result beyond 64 bits");
}

Value power(Machine& machine, std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) return machine.fail("operator '**', got 0 to a negative power");
    return Value::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t out = 1;
  if (base == 0 || base == 1) return Value::integer(exponent == 0 ? 1 : base);
  if (base == -1) return Value::integer(exponent % 2 == 0 ? 1 : -1);
  for (std::int64_t i = 0; i < exponent; ++i) {
    const auto next = checked_mul<std::int64_t>(out, base);
    if (!next) return overflow(machine, Operator::kPower);
    out = *next;
  }
  return Value::integer(out);
}

Value whole_arithmetic(Machine& machine, Operator op, std::int64_t a, std::int64_t b) {
  std::optional<std::int64_t> out;
  switch (op) {
    case Operator::kAdd: out = checked_add<std::int64_t>(a, b); break;
    case Operator::kSubtract: out = checked_sub<std::int64_t>(a, b); break;
    case Operator::kMultiply: out = checked_mul<std::int64_t>(a, b); break;
    case Operator::kPower: return power(machine, a, b);
    default: {
      if (b == 0) {
        return machine.fail("operator '" + std::string(operator_name(op)) +
                            "', got a division by 0");
      }
      if (op == Operator::kDivide) {
        return Value::real(static_cast<double>(a) / static_cast<double>(b));
      }
      if (b == -1) {
        if (op == Operator::kModulo) return Value::integer(0);
        out = checked_sub<std::int64_t>(0, a);
        break;
      }
      const bool down = a % b != 0 && (a % b < 0) != (b < 0);
      out = op == Operator::kModulo ? a % b + (down ? b : 0) : a / b - (down ? 1 : 0);
    }
  }
  return out ? Value::integer(*out) : overflow(machine, op);
}

Value real_arithmetic(Machine& machine, Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd: return Value::real(a + b);
    case Operator::kSubtract: return Value::real(a - b);
    case Operator::kMultiply: return Value::real(a * b);
    case Operator::kPower: {
      if ((a == 0 && b < 0) || (a < 0 && std::isfinite(b) && b != std::floor(b))) {
        return machine.fail("operator '**', got no real result");
      }
      const double out = std::pow(a, b);
      if (std::isinf(out) && std::isfinite(a) && std::isfinite(b)) {
        return overflow(machine, op);
      }
      return Value::real(out);
    }
    default: break;
  }
  if (b == 0) {
    return machine.fail("operator '" + std::string(operator_name(op)) + "', got a division by 0");
  }
  if (op == Operator::kDivide) return Value::real(a / b);
  // As Python: the remainder has the divisor's sign.
  double rest = std::fmod(a, b);
  double whole = (a - rest) / b;
  if (rest != 0 && (rest < 0) != (b < 0)) {
    rest += b;
    whole -= 1;
  }
  if (rest == 0) rest = std::copysign(0.0, b);
  if (op == Operator::kModulo) return Value::real(rest);
  if (whole == 0) return Value::real(std::copysign(0.0, a / b));
  const double floor = std::floor(whole);
  return Value::real(whole - floor > 0.5 ? floor + 1 : floor);
}

}  // namespace

std::string_view operator_name(Operator op) { return kNames[static_cast<std::size_t>(op)]; }

std::string kind_name(const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: {
      const std::string name = printable(value.text(), 64);
      return name.empty() ? "an undefined value" : "undefined '" + name + "'";
    }
    case Kind::kNone: return "none";
    case Kind::kBool: return "a bool";
    case Kind::kInt: return "a whole number";
    case Kind::kFloat: return "a float";
    case Kind::kText: return "a text";
    case Kind::kList:
      switch (value.list().style) {
        case ListStyle::kList: return "a list";
        case ListStyle::kTuple: return "a tuple";
        case ListStyle::kRange: return "a range";
        case ListStyle::kGenerator: return "a generator";
        default: return "a view of a dict";
      }
    case Kind::kDict: return "a dict";
    case Kind::kNamespace: return "a namespace";
    case Kind::kCallable:
      return "'" + printable(value.callable().name, 64) + "', which is callable";
    case Kind::kLoop: return "a loop";
  }
  return "a value";
}

bool must_be_defined(Machine& machine, const Value& value) {
  if (!value.is(Kind::kUndefined)) return true;
  const std::string name = printable(value.text(), 64);
  machine.fail(name.empty() ? "a value is undefined" : "'" + name + "' is undefined");
  return false;
}

bool can_be_key(const Value& value) {
  if (value.is(Kind::kDict)) return false;
  return !value.is(Kind::kList) || value.list().style != ListStyle::kList;
}

bool truth(Machine& machine, const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined:
    case Kind::kNone: return false;
    case Kind::kBool:
    case Kind::kInt: return value.integer() != 0;
    case Kind::kFloat: return value.real() != 0;
    case Kind::kText: return !value.text().empty();
    case Kind::kList:
      return value.list().style == ListStyle::kGenerator || !value.list().items.empty();
    case Kind::kDict: return !value.dict().entries.empty();
    case Kind::kNamespace:
    case Kind::kCallable: return true;
    case Kind::kLoop: return length(machine, value) > 0;
  }
  return false;
}

bool equals(Machine& machine, const Value& a, const Value& b, int depth) {
  if (too_deep(machine, depth) || !machine.step()) return false;
  if (a.is_number() && b.is_number()) {
    return !is_nan(a) && !is_nan(b) && order_numbers(a, b) == 0;
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kText:
      return a.text().size() == b.text().size() && machine.look(a.text().size()) &&
             a.text() == b.text();
    case Kind::kList: {
      const List& x = a.list();
      const List& y = b.list();
      if (&x == &y) return true;
      const bool walked = x.style == ListStyle::kGenerator || x.style == ListStyle::kValues;
      if (x.style != y.style || x.items.size() != y.items.size() || walked) return false;
      for (std::size_t i = 0; i < x.items.size(); ++i) {
        if (!equals(machine, x.items[i], y.items[i], depth + 1)) return false;
      }
      return machine.ok();
    }
    case Kind::kDict:
      return &a.dict() == &b.dict() || equal_dicts(machine, a.dict(), b.dict(), depth);
    default: return a.same(b);
  }
}

int order(Machine& machine, const Value& a, const Value& b, int depth) {
  if (too_deep(machine, depth) || !machine.step()) return 0;
  if (a.is_number() && b.is_number()) return order_numbers(a, b);
  if (a.is(Kind::kText) && b.is(Kind::kText)) {
    if (!machine.look(std::min(a.text().size(), b.text().size()))) return 0;
    return a.text().compare(b.text());  // of UTF-8 as of its characters
  }
  if (is_row(a) && is_row(b) && a.list().style == b.list().style) {
    const std::vector<Value>& x = a.list().items;
    const std::vector<Value>& y = b.list().items;
    for (std::size_t i = 0; i < std::min(x.size(), y.size()) && machine.ok(); ++i) {
      if (!equals(machine, x[i], y[i], depth + 1)) return order(machine, x[i], y[i], depth + 1);
    }
    return x.size() < y.size() ? -1 : x.size() > y.size() ? 1 : 0;
  }
  type_fault(machine, Operator::kLess, a, b);
  return 0;
}

bool contains(Machine& machine, const Value& whole, const Value& part) {
  switch (whole.kind()) {
    case Kind::kText:
      if (!part.is(Kind::kText)) {
        type_fault(machine, Operator::kIn, part, whole);
        return false;
      }
      return machine.look(whole.text().size() + part.text().size()) &&
             find_text(whole.text(), part.text()) != std::string_view::npos;
    case Kind::kDict:
      if (!can_be_key(part)) {
        type_fault(machine, Operator::kIn, part, whole);
        return false;
      }
      if (part.is(Kind::kText)) {
        return machine.step(whole.dict().find_steps()) && machine.look(part.text().size()) &&
               whole.dict().find_text(part.text()) != nullptr;
      }
      [[fallthrough]];
    case Kind::kUndefined:
      for (const Value& item : walk(machine, whole)) {
        if (equals(machine, item, part)) return true;
      }
      return false;
    case Kind::kList: {
      List& list = whole.list();
      const bool walked = list.style == ListStyle::kGenerator;
      for (std::size_t at = list.taken; at < list.items.size() && machine.ok(); ++at) {
        if (walked) list.taken = at + 1;
        if (equals(machine, list.items[at], part)) return true;
      }
      return false;
    }
    default: type_fault(machine, Operator::kIn, part, whole); return false;
  }
}

bool compare(Machine& machine, Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::kEqual: return equals(machine, a, b);
    case Operator::kNotEqual: return !equals(machine, a, b);
    case Operator::kIn: return contains(machine, b, a);
    case Operator::kNotIn: return !contains(machine, b, a);
    default: break;
  }
  const bool ordered = (a.is_number() && b.is_number()) ||
                       (a.is(Kind::kText) && b.is(Kind::kText)) ||
                       (is_row(a) && is_row(b) && a.list().style == b.list().style);
  if (!ordered) {
    type_fault(machine, op, a, b);
    return false;
  }
  if (is_nan(a) || is_nan(b)) return false;
  const int sign = order(machine, a, b);
  switch (op) {
    case Operator::kLess: return sign < 0;
    case Operator::kLessEqual: return sign <= 0;
    case Operator::kGreater: return sign > 0;
    default: return sign >= 0;
  }
}

Value arithmetic(Machine& machine, Operator op, const Value& a, const Value& b) {
  if (!machine.step()) return {};
  if (a.is_whole() && b.is_whole()) {
    return whole_arithmetic(machine, op, a.integer(), b.integer());
  }
  if (a.is_number() && b.is_number()) {
    return real_arithmetic(machine, op, a.as_double(), b.as_double());
  }
  if (op == Operator::kAdd) return add(machine, a, b);
  if (op == Operator::kModulo && a.is(Kind::kText)) {
    if (!must_be_defined(machine, b)) return {};
    std::vector<Value> values = {b};
    if (b.is(Kind::kList) && b.list().style == ListStyle::kTuple) values = b.list().items;
    return print_format(machine, a.text(), values, b);
  }
  if (op == Operator::kMultiply) {
    if (b.is_whole() && (a.is(Kind::kText) || is_row(a))) return repeat(machine, a, b.integer());
    if (a.is_whole() && (b.is(Kind::kText) || is_row(b))) return repeat(machine, b, a.integer());
  }
  return type_fault(machine, op, a, b);
}

Value negate(Machine& machine, const Value& value) {
  if (value.is(Kind::kFloat)) return Value::real(-value.real());
  if (value.is_whole()) {
    return whole_arithmetic(machine, Operator::kSubtract, 0, value.integer());
  }
  if (!must_be_defined(machine, value)) return {};
  return machine.fail("operator '-', got " + kind_name(value) + ", wanted a number");
}

Value character(std::string_view text, std::size_t at, std::size_t bytes) {
  return Value::text(text.substr(at, bytes));
}

std::vector<Value> walk(Machine& machine, const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return {};
    case Kind::kText: {
      const std::string_view text = value.text();
      if (!machine.room_for(text.size())) return {};
      std::vector<Value> out;
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t bytes = decode_utf8(text, at).bytes;
        out.push_back(character(text, at, bytes));
        at += bytes;
      }
      return out;
    }
    case Kind::kList: {
      List& list = value.list();
      if (!machine.room_for(list.items.size() - list.taken)) return {};
      const auto from = list.items.begin() + static_cast<std::ptrdiff_t>(list.taken);
      std::vector<Value> out(from, list.items.end());
      if (list.style == ListStyle::kGenerator) list.taken = list.items.size();
      return out;
    }
    case Kind::kDict: {
      const Dict& dict = value.dict();
      if (!machine.room_for(dict.entries.size())) return {};
      std::vector<Value> out;
      out.reserve(dict.entries.size());
      for (const auto& entry : dict.entries) out.push_back(entry.first);
      return out;
    }
    default: machine.fail("got " + kind_name(value) + ", wanted something to walk over"); return {};
  }
}

std::int64_t length(Machine& machine, const Value& value) {
  switch (value.kind()) {
    case Kind::kUndefined: return 0;
    case Kind::kText:
      if (!machine.look(value.text().size())) return 0;
      return static_cast<std::int64_t>(count_characters(value.text()));
    case Kind::kList:
      if (value.list().style == ListStyle::kGenerator) break;
      return static_cast<std::int64_t>(value.list().items.size());
    case Kind::kDict: return static_cast<std::int64_t>(value.dict().entries.size());
    case Kind::kLoop: return static_cast<std::int64_t>(value.loop().items.size());
    default: break;
  }
  machine.fail("got " + kind_name(value) + ", wanted something that has a length");
  return 0;
}

}  // namespace polaris::jinja
