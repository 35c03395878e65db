#pragma once
#include <string_view>

#include "base/error.h"

namespace polaris {

/// An error of a node that ran, with the node's name where the house form has it: `[Op] what`
/// becomes
/// `[Op] node 'x': what`. One that names a node already came from inside this one: `in 'x': ...`.
Error at_node(const Error& error, std::string_view node_name);

}  // namespace polaris
