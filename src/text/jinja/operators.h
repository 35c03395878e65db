#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/machine.h"
#include "text/jinja/value.h"

namespace polaris::jinja {

enum class Operator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
};
std::string_view operator_name(Operator op);

/// What a value is, for messages: "a text", "undefined 'x'".
std::string kind_name(const Value& value);
/// Fails, and says so, where a value is undefined.
bool must_be_defined(Machine& machine, const Value& value);

/// Whether a value never changes, so that a dict may have it as a key.
bool can_be_key(const Value& value);

bool truth(Machine& machine, const Value& value);
bool equals(Machine& machine, const Value& a, const Value& b, int depth = 0);
/// Negative, zero or positive; fails where the two have no order. NaN is above everything.
int order(Machine& machine, const Value& a, const Value& b, int depth = 0);
bool contains(Machine& machine, const Value& whole, const Value& part);
bool compare(Machine& machine, Operator op, const Value& a, const Value& b);
Value arithmetic(Machine& machine, Operator op, const Value& a, const Value& b);
Value negate(Machine& machine, const Value& value);

/// The values that one walks over: of a list, a dict's keys, a text's characters. What is left of a
/// generator, which then is empty. Fails where there is nothing to walk.
std::vector<Value> walk(Machine& machine, const Value& value);
/// Fails where a value has no length.
std::int64_t length(Machine& machine, const Value& value);

/// value.name, value[key] and value[a:b:c]; undefined where there is none.
Value attribute(Machine& machine, const Value& value, std::string_view name);
Value item(Machine& machine, const Value& value, const Value& key);
Value slice(Machine& machine, const Value& value, const Value& from, const Value& to,
            const Value& step);
/// The method of a text, list, dict or loop; undefined where there is none of that name.
Value method(Machine& machine, const Value& value, std::string_view name);

/// Texts as Python's str() and repr() have them.
std::string text_of(Machine& machine, const Value& value);
std::string repr_of(Machine& machine, const Value& value);
std::string float_text(double number);

/// The character of a text as a value; the bytes stay the text's.
Value character(std::string_view text, std::size_t at, std::size_t bytes);

}  // namespace polaris::jinja
