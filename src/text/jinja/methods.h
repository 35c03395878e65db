#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "text/jinja/machine.h"

namespace polaris::jinja {

struct MethodRow {
  std::string_view name;
  Value (*call)(Machine&, Value self, Arguments&);
};

std::span<const MethodRow> text_methods();

/// Python's str.replace; a negative `count` replaces all.
Value replaced(Machine& machine, std::string_view text, std::string_view from, std::string_view to,
               std::int64_t count);

}  // namespace polaris::jinja
