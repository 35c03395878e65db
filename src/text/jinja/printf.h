#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/machine.h"

namespace polaris::jinja {

/// Python's `format % values`; `whole` is what stood behind the operator, for %(name)s.
Value print_format(Machine& machine, std::string_view format, const std::vector<Value>& values,
                   const Value& whole);

/// str.format with {}, {0}, {name}, and !r or !s; other specifications are refused by name.
Value brace_format(Machine& machine, std::string_view format, Arguments& arguments);

/// datetime.strftime with English names, of the moment that the machine was given.
Value time_format(Machine& machine, std::string_view format);

}  // namespace polaris::jinja
