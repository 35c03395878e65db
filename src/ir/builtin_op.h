#pragma once
#include <string_view>

#include "ir/op_def.h"

namespace polaris {

/// One of src/ir/op/ by "Name" or "domain.Name", nullptr where there is none: for those who look up
/// an op or two, where an OpSet would be made of all.
const OpDef* find_builtin_op(std::string_view full_name);

}  // namespace polaris
