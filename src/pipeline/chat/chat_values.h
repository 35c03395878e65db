#pragma once
#include "text/jinja/machine.h"
#include "wire/json.h"

namespace polaris {

/// JSON as a value of templates, owned by the machine. Of members that have one name the last
/// counts, as in Python. A number beyond 64 bits fails the machine.
jinja::Value chat_value(jinja::Machine& machine, JsonValue json);

}  // namespace polaris
