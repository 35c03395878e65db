#pragma once
#include <span>
#include <string_view>

#include "text/jinja/machine.h"

namespace polaris::jinja {

struct FunctionRow {
  std::string_view name;
  Value (*call)(Machine&, Arguments&);
};

/// What a template can call without having been given it.
std::span<const FunctionRow> functions();

}  // namespace polaris::jinja
