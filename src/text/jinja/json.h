#pragma once
#include <string>
#include <string_view>

#include "text/jinja/machine.h"

namespace polaris::jinja {

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool has_indent = false;
  std::string indent;
  std::string_view between = ", ";
  std::string_view after_key = ": ";
};

/// Python's json.dumps. Fails on what JSON cannot hold.
std::string json_of(Machine& machine, const Value& value, const JsonStyle& style);

}  // namespace polaris::jinja
