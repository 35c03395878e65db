#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "text/jinja/machine.h"
#include "text/jinja/methods.h"

namespace polaris::jinja {

// A filter and a test are functions of a value and arguments, by name; a test gives a bool.
std::span<const MethodRow> text_filters();
std::span<const MethodRow> number_filters();
std::span<const MethodRow> list_filters();
std::span<const MethodRow> select_filters();
std::span<const MethodRow> order_filters();
std::span<const MethodRow> tests();

/// Null where there is none of that name.
const MethodRow* find_filter(std::string_view name);
const MethodRow* find_test(std::string_view name);
/// Fails where there is none of that name.
Value apply_filter(Machine& machine, std::string_view name, const Value& value,
                   Arguments& arguments);
bool apply_test(Machine& machine, std::string_view name, const Value& value, Arguments& arguments);

/// Looks up "a.0.b" in values, as filters take it for `attribute`.
class AttributePath {
 public:
  /// `path`: a text, a whole number, or none, for the value itself.
  AttributePath(Machine& machine, const Value& path);
  /// `otherwise`, unless it is none, in place of what is undefined.
  Value of(const Value& value, const Value& otherwise = Value::none()) const;

 private:
  Machine& machine_;
  std::vector<Value> parts_;
};

/// A text in small letters, anything else as it is: how filters compare without regard to case.
Value without_case(Machine& machine, const Value& value);

}  // namespace polaris::jinja
